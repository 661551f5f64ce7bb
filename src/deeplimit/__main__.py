"""``python -m deeplimit``, the same as the command ``deeplimit``."""

from __future__ import annotations

import sys

from deeplimit.cli import main

if __name__ == "__main__":
    sys.exit(main())
