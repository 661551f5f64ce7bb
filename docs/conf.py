from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs" / "_ext")]

project = "deeplimit"
author = "The deeplimit developers"
project_copyright = f"2026, {author}"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "accessible",
    "mathml",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "generated/gallery/README.rst"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# The package's own names are documented by the modules that define them.
numpydoc_show_class_members = False
autodoc_typehints = "none"

# Nothing on a page comes from another host: formulas are MathML, fonts are the reader's.
html_math_renderer = "mathml"
templates_path = ["_templates"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}

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


def with_plain_bars(*event: Any) -> None:
    """Let the bars of |x| be bars: reStructuredText takes them for a reference."""
    lines: list[str] = event[-1]
    literal = -1  # the indentation of what opened a literal block, or -1
    doctest = False
    for place, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal >= 0 and line.strip() and indent <= literal:
            literal = -1
        doctest = line.lstrip().startswith(">>>") or (doctest and bool(line.strip()))
        if literal < 0 and not doctest:
            parts = re.split(r"(`+[^`]*`+)", line)
            parts[::2] = [re.sub(r"(?<!\\)\|", r"\|", part) for part in parts[::2]]
            lines[place] = "".join(parts)
            if re.search(r"::$|^\s*\.\. math::", line):
                literal = indent


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", without_foreign_labels)
    app.connect("autodoc-process-docstring", with_plain_bars, priority=900)
