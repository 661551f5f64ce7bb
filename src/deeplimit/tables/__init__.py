"""Tables as they come: reading them from files, and turning their columns into points."""

from __future__ import annotations

from deeplimit.tables.coding import TableCoder
from deeplimit.tables.encoding import TableEncoder
from deeplimit.tables.reading import Table, read_table

__all__ = ["read_table", "Table", "TableCoder", "TableEncoder"]
