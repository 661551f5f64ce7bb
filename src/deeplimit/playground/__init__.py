"""The playground: a page that shows what depth does, and what it needs of Python."""
