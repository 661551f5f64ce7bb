from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

project = "deeplimit"
author = "The deeplimit developers"
project_copyright = f"2026, {author}"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "generated/gallery/README.rst"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# The package's own names are documented by the modules that define them.
numpydoc_show_class_members = False
autodoc_typehints = "none"

html_theme = "alabaster"
html_theme_options = {"description": "Infinitely wide and deep networks as classifiers"}

# examples/ is run for every build; a failing example fails the build.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "generated/gallery",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "show_signature": False,
    "plot_gallery": True,
    "capture_repr": (),
}


def without_foreign_labels(*event: Any) -> None:
    """Turn scikit-learn's references to its own pages, inherited with `score`, into plain text."""
    lines: list[str] = event[-1]
    lines[:] = [re.sub(r":ref:`([^<`]+?) <\w+>`", r"\1", line) for line in lines]


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", without_foreign_labels)
