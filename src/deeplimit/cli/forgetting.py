"""What ``forget`` does: takes examples out of a model file."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from deeplimit.cli.console import paragraph, print_json, progress, say
from deeplimit.cli.model_files import Model, open_model, refuse_to_overwrite
from deeplimit.persist import read_header, save

__all__ = ["forget"]

_NAMED = 10


def forget(options: argparse.Namespace) -> int:
    """Forget examples and write the model, in place unless told otherwise."""
    output = options.output or options.model
    if options.output is not None:
        refuse_to_overwrite(output, options.force, options.model)
    model = open_model(options.model)
    gone = _rows_named(model, options.ids)
    progress(f"forgetting {len(gone)} examples")
    model.classifier.forget(gone)
    # The names go, too; only those of examples there are are ever looked up.
    names = model.pipeline.ids_
    names[gone] = names.dtype.type() if names.dtype.kind != "O" else ""
    certificate = model.classifier.certificate()
    save(model.pipeline, output, notes=read_header(options.model).notes)
    if options.json:
        print_json(
            {"model": str(output), "forgotten": options.ids, "certificate": vars(certificate)}
        )
        return 0
    more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
    say(paragraph(f"forgotten: {', '.join(options.ids[:_NAMED])}{more}", "", "  "))
    say(str(certificate))
    if not model.pooled:
        say(
            paragraph(
                "note: how cells become numbers (scales, fillings, categories) is still what fit "
                "found with these rows; only a new fit changes that",
                "",
                "  ",
            )
        )
    say(f"model written to {output}")
    return 0


def _rows_named(model: Model, wanted: list[str]) -> list[int]:
    """Find the examples that the user names as ``explain`` does."""
    names = model.ids
    places: dict[str, int] = {str(names[k]): k for k in model.classifier.ids_.tolist()}
    unknown = [name for name in wanted if name not in places]
    what: Any = model.id_column or "row"
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise ValueError(
            f"the model holds no example with the {what} {', '.join(unknown[:_NAMED])}{more}; "
            "nothing was forgotten."
        )
    twice = [name for name, count in Counter(wanted).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]} is given more than once; nothing was forgotten.")
    return [places[name] for name in wanted]
