"""The public face: lazy, complete and documented."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import deeplimit

# What numpydoc finds wrong and this project too: absent, out of order, unlike the signature.
FORM = {"GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS05", "SS06"}
PARAMETERS = {"PR01", "PR02", "PR03", "PR04", "PR06", "PR07", "PR10"}
RESULTS = {"RT01", "RT03", "YD01", "EX01"}

# Costly to load, or perhaps absent: importing the package touches none of them.
HEAVY = ("sklearn", "scipy.stats", "torch", "jax", "pandas", "pyarrow", "matplotlib", "numba")


def public_modules() -> list[str]:
    """List the package and its public submodules one level down that declare ``__all__``."""
    found = [
        f"deeplimit.{module.name}"
        for module in pkgutil.iter_modules(deeplimit.__path__)
        if not module.name.startswith("_") and module.name != "cli"
    ]
    return ["deeplimit", *(m for m in found if hasattr(importlib.import_module(m), "__all__"))]


MODULES = public_modules()
NAMES = [f"{m}.{name}" for m in MODULES for name in importlib.import_module(m).__all__]


def resolve(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def is_documentable(thing: object) -> bool:
    """Tell a class or a function, which carry a docstring, from a constant or a type alias."""
    return inspect.isclass(thing) or inspect.isroutine(thing)


def is_plain_class(thing: object) -> bool:
    """Tell a class whose constructor a user calls from a protocol, an enumeration or an error."""
    return inspect.isclass(thing) and not (
        getattr(thing, "_is_protocol", False) or issubclass(thing, (enum.Enum, BaseException))
    )


def raised(thing: object) -> set[str]:
    """Name the exceptions that a function, or a constructor, raises in its own body."""
    if inspect.isclass(thing):
        if getattr(thing, "_is_protocol", False):
            return set()  # typing injects a constructor that raises
        bodies = [vars(thing).get(name) for name in ("__init__", "__post_init__")]
    else:
        bodies = [inspect.unwrap(thing)]  # type: ignore[arg-type]
    names = set()
    for body in bodies:
        # A dataclass writes its __init__ itself: that one has no source.
        if not inspect.isfunction(body) or body.__code__.co_filename.startswith("<"):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(body)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                if isinstance(error, ast.Name) and error.id.endswith("Error"):
                    names.add(error.id)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_all_lists_each_name_once(module: str) -> None:
    names = list(importlib.import_module(module).__all__)
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("_") and name != "__version__"]


@pytest.mark.parametrize("path", NAMES)
def test_public_name_is_documented(path: str) -> None:
    thing = resolve(path)
    # Every submodule is loaded by now, and one named like a public function has taken its place.
    assert not inspect.ismodule(thing), f"{path} is a module: import order decides what users get"
    if not is_documentable(thing):
        return
    plain, record = is_plain_class(thing), dataclasses.is_dataclass(thing)
    codes = FORM | ({"EX01"} if plain or inspect.isroutine(thing) else set())
    if inspect.isroutine(thing):
        codes |= PARAMETERS | RESULTS
    elif plain and not record:
        codes |= PARAMETERS
    document = Validator(get_doc_object(thing))
    # numpydoc takes a first parameter named "cls" for that of a method, a decorator's too.
    quirk = ("PR02", "Unknown parameters {'cls'}")
    errors = [error for error in validate(document.doc)["errors"] if error != quirk]
    faults = [f"{code}: {text}" for code, text in errors if code in codes]
    if plain and record:
        told = {*document.doc_all_parameters, *(row.name for row in document.doc["Attributes"])}
        fields = {field.name for field in dataclasses.fields(thing) if field.repr}
        faults += [f"field {name} is not documented" for name in sorted(fields - told)]
    told = {name.strip() for row in document.doc["Raises"] for name in row.type.split(",")}
    faults += [f"{name} is raised, not documented" for name in sorted(raised(thing) - told)]
    assert not faults, f"{path}: " + "; ".join(faults)


def test_dir_lists_the_public_names() -> None:
    assert set(deeplimit.__all__) <= set(dir(deeplimit))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        deeplimit.no_such_name  # noqa: B018


def test_import_is_lazy(root: Path) -> None:
    code = "import json, sys, deeplimit; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = json.loads(answer.stdout)
    assert "deeplimit" in loaded
    assert [name for name in HEAVY if name in loaded] == []
