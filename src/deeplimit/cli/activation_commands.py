"""The commands about activations: ``inspect`` and ``design``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimit._extras import require
from deeplimit.cli.console import UsageError, columns, paragraph, print_json, progress, say
from deeplimit.documents import align

if TYPE_CHECKING:
    from deeplimit.designs import DesignedActivation
    from deeplimit.evidence import DepthSweep
    from deeplimit.regimes import Taxonomy

__all__ = ["add_to"]

#: Gaps of the sweep that are shown, those first that are left longest where room is scarce.
_SHOWN_GAPS = (0.5, 1e-6, 1.5, 1.0, 0.01, 0.1)
_SHOWN_DEPTHS = 9
_SHOWN_TERMS = 6
_PICTURES = (".png", ".svg", ".pdf")
_NOTATIONS = ("text", "tex", "python", "torch", "jax")

_INSPECT_EXAMPLES = """\
An activation is a name (relu, gelu, h3, sine_2.676, leaky_relu_0.2, ...) or a
formula of x in quotes. A formula that begins with a minus goes after --.

examples:
  deeplimit inspect relu gelu erf
  deeplimit inspect "sin(2.676*x)" --depth 1000
  deeplimit inspect 3d_opt --plot portrait.png
  deeplimit inspect --names
  deeplimit inspect tanh --json
  deeplimit inspect -- "-softplus(-x)"
"""

_DESIGN_EXAMPLES = """\
examples:
  deeplimit design --dimension 10
  deeplimit design --dimension 4 --odd --family sine
  deeplimit design --exponent 2.5 --format torch
  deeplimit design --family centered --base relu
  deeplimit design --families
"""


def add_to(add: Callable[..., Any]) -> None:
    """Add the commands of this module to the parser."""
    inspect = add(
        "inspect",
        _inspect,
        "tell what an infinitely deep network of an activation becomes, and why",
        _INSPECT_EXAMPLES,
    )
    inspect.add_argument(
        "activations", nargs="*", metavar="ACTIVATION", help="name or formula of x"
    )
    inspect.add_argument(
        "--depth", type=_depth, metavar="N", help="follow the kernel to this depth at most"
    )
    inspect.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the portrait (png, svg, pdf)"
    )
    inspect.add_argument("--names", action="store_true", help="list the named activations")
    inspect.add_argument("--json", action="store_true", help="print JSON")

    design = add(
        "design",
        _design,
        "give an explicit activation whose network is consistent in your dimension",
        _DESIGN_EXAMPLES,
    )
    wanted = design.add_mutually_exclusive_group()
    wanted.add_argument(
        "--dimension", type=_positive, metavar="D", help="intrinsic dimension of the data"
    )
    wanted.add_argument("--exponent", type=_positive, metavar="A", help="exponent of the kernel")
    wanted.add_argument("--families", action="store_true", help="list the families")
    design.add_argument("--family", metavar="F", help="family of activations (see --families)")
    design.add_argument("--odd", action="store_true", help="an odd activation")
    design.add_argument(
        "--base", metavar="PHI", help="activation to start from (centered, residual)"
    )
    design.add_argument("--slope", type=_positive, metavar="B", help="B', where it is free")
    design.add_argument("--degree", type=int, metavar="M", help="degree of the second term")
    design.add_argument(
        "--format", choices=_NOTATIONS, help="print the formula or the code alone, to paste"
    )
    design.add_argument("--json", action="store_true", help="print JSON")


def _depth(text: str) -> int:
    depth = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= depth <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of layers from 1 to 10000000")
    return depth


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return value


def _inspect(options: argparse.Namespace) -> int:
    from deeplimit.activations import Activation
    from deeplimit.evidence import depth_sweep
    from deeplimit.regimes import taxonomy

    if options.names:
        return _names(options.json)
    if not options.activations:
        raise UsageError("name an activation, such as relu, or write a formula of x in quotes")
    if options.plot:
        _check_picture(options.plot)
    # Every name is read before the first is examined: a slip in the last is told at once.
    found = [taxonomy(Activation(name)) for name in options.activations]
    reports = []
    for i, t in enumerate(found):
        progress(f"following the kernel of {t.name} through its layers")
        sweep = t.evidence
        if options.depth:
            sweep = depth_sweep(t.activation, max_depth=options.depth)
        agrees = sweep.agrees_with(t)
        if options.json:
            reports.append(
                t.to_dict()
                | {"formula": t.activation.formula, "norm2": t.activation.norm2}
                | {"depth_sweep": sweep.to_dict(), "depth_sweep_agrees": agrees}
            )
        else:
            say("\n" * (i > 0) + _portrait(t, sweep, agrees))
        if options.plot:
            _plot(t, _picture(options.plot, t.name, len(found) > 1), quiet=options.json)
    if options.json:
        print_json(reports)
    return 0


def _names(as_json: bool) -> int:
    from deeplimit.activations.catalog import CATALOG

    if as_json:
        print_json({name: entry.formula for name, entry in CATALOG.items()})
        return 0
    room = columns() - 22
    say(
        align(
            ("name", "formula"),
            (
                (name, e.formula if len(e.formula) <= room else e.formula[: room - 3] + "...")
                for name, e in CATALOG.items()
            ),
            left=(0, 1),
        )
    )
    say("\nalso h<k> (Hermite), sine_<a>, leaky_relu_<slope>, and any formula of x")
    return 0


def _portrait(t: Taxonomy, sweep: DepthSweep, agrees: bool) -> str:
    lines = _summary(t)
    if t.activation.formula != t.name:
        lines.insert(1, paragraph(f"φ(x) = {t.activation.formula}", "  ", "    "))
    observed, rows = _compact(sweep)
    verdict = "which agrees" if agrees else "which does not tell the same"
    told = f"The kernel, layer by layer, shows {observed}: {verdict}."
    lines += ["", paragraph(told, "  ", "  "), *(f"  {row}" for row in rows)]
    return "\n".join(lines)


def _summary(t: Taxonomy) -> list[str]:
    lines = []
    for line in t.summary().splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(paragraph(line.strip(), indent, indent + "  "))
    return lines


def _compact(sweep: DepthSweep) -> tuple[str, list[str]]:
    """Give what a sweep shows in words, and as many gaps and depths of it as fit the terminal."""
    n = len(sweep.depths)
    # The first layers and the last say more than those between.
    few = [*range(4), *_spread(4, n, _SHOWN_DEPTHS - 4)]
    depths = list(range(n)) if n <= _SHOWN_DEPTHS else few
    for count in range(len(_SHOWN_GAPS), 0, -1):
        gaps = [j for j, gap in enumerate(sweep.gaps.tolist()) if gap in _SHOWN_GAPS[:count]]
        head, *rows = _part(sweep, depths, gaps).to_text().splitlines()
        if max(map(len, rows)) + 2 <= columns():
            break
    return head.partition(": ")[2], rows


def _part(sweep: DepthSweep, depths: list[int], gaps: list[int]) -> DepthSweep:
    at = (slice(None), gaps)
    return replace(
        sweep,
        depths=sweep.depths[depths],
        gaps=sweep.gaps[gaps],
        correlations=sweep.correlations[depths][at],
        log_correlations=sweep.log_correlations[depths][at],
        log_gaps=sweep.log_gaps[depths][at],
        fates=tuple(sweep.fates[j] for j in gaps),
    )


def _spread(start: int, stop: int, count: int) -> list[int]:
    """Give `count` whole numbers from `start` to the last before `stop`, evenly spread."""
    return [start + round(i * (stop - 1 - start) / (count - 1)) for i in range(count)]


def _check_picture(path: Path) -> None:
    """Find out before the work what would fail after it."""
    require("matplotlib", extra="plot", purpose="--plot")
    if path.suffix.lower() not in _PICTURES:
        raise UsageError(f"--plot takes a file named *{', *'.join(_PICTURES)}; got {path.name!r}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {str(path.parent)!r} to draw {path.name!r} in.")


def _picture(path: Path, name: str, several: bool) -> Path:
    if not several:
        return path
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return path.with_name(f"{path.stem}-{safe}{path.suffix}")


def _plot(t: Taxonomy, path: Path, *, quiet: bool) -> None:
    # A picture in a file needs no display.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from deeplimit.plotting import ActivationDisplay

    progress(f"drawing {t.name}")
    display = ActivationDisplay.from_activation(t.activation).plot()
    display.figure_.savefig(path, dpi=150)
    if not quiet:
        say(f"\n  portrait written to {path}")


def _design(options: argparse.Namespace) -> int:
    from deeplimit.designs import design

    if options.families:
        return _families(options.json)
    wanted = options.dimension if options.exponent is None else options.exponent
    if wanted is None and options.family != "centered":
        raise UsageError("give --dimension D, --exponent A or --families")
    phi = design(
        exponent=wanted,
        family=options.family,
        odd=options.odd,
        slope=options.slope,
        degree=options.degree,
        base=options.base,
    )
    code = None if phi.design.code is None else asdict(phi.design.code)
    if options.json:
        print_json(
            {
                "family": phi.design.family.name,
                "exponent": phi.design.taxonomy.exponent,
                "wanted": wanted,
                "error": phi.design.error,
                "parameters": phi.design.parameters,
                "code": code,
                "note": phi.design.note,
                "taxonomy": phi.design.taxonomy.to_dict(),
            }
        )
    elif options.format is None:
        say(_blueprint(phi))
    elif code is None:
        raise ValueError(f"{phi.name} is a layer with a skip, not one function to write out.")
    else:
        say(str(code[options.format]).rstrip("\n"))
    return 0


def _families(as_json: bool) -> int:
    from deeplimit.designs import families

    if as_json:
        print_json([asdict(family) | {"range": family.range_text()} for family in families()])
        return 0
    for family in families():
        takes = "".join(f" [--{option}]" for option in family.options)
        odd = "" if family.lowest_odd is None else " [--odd]"
        say(f"{family.name}{odd}{takes}")
        for text in (family.range_text(), f"f(ξ) = {family.dual}", family.about):
            say(paragraph(text, "  ", "    "))
    return 0


def _blueprint(phi: DesignedActivation) -> str:
    proof = phi.design
    parameters = ", ".join(f"{key} = {value:.12g}" for key, value in proof.parameters.items())
    lines = [
        *_summary(proof.taxonomy),
        "",
        paragraph(f"f(ξ) = {proof.family.dual}", "  ", "    "),
    ]
    if parameters:
        lines.append(paragraph(f"with {parameters}", "  ", "    "))
    if proof.exponent is not None:
        off = f"within {proof.error:.1g} of" if proof.error else "exactly"
        lines.append(f"  Classified anew, its exponent is {off} the wanted one.")
    if proof.note:
        lines.append(paragraph(proof.note, "  ", "    "))
    if proof.code is not None:
        terms = proof.code.text.split(" + ")
        formula = " + ".join(terms[:_SHOWN_TERMS])
        if len(terms) > _SHOWN_TERMS:
            formula += f" + ... ({len(terms)} terms; --format text prints all)"
        lines += ["", paragraph(f"φ(x) = {formula}", "  ", "    ")]
        lines += ["", "  To paste it somewhere add --format torch, jax, python, tex or text."]
    return "\n".join(lines)
