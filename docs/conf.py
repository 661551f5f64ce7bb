from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

project = "deeplimit"
author = "The deeplimit developers"
project_copyright = f"2026, {author}"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "generated"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# The package's own names are documented by the modules that define them.
numpydoc_show_class_members = False
autodoc_typehints = "none"

html_theme = "alabaster"
html_theme_options = {"description": "Infinitely wide and deep networks as classifiers"}
