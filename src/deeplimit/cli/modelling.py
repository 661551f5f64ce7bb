"""What the commands about data do: from tables to models, predictions and reasons."""

from __future__ import annotations

import argparse
import csv
import io
from collections import Counter
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from deeplimit.cli.console import UsageError, paragraph, print_json, progress, say, tell
from deeplimit.cli.model_files import (
    Model,
    Rows,
    of_kinds,
    open_model,
    read_input,
    read_rows,
    refuse_to_overwrite,
)
from deeplimit.documents import align
from deeplimit.estimators import DeepLimitClassifier
from deeplimit.persist import save
from deeplimit.tables import Table, TableEncoder

__all__ = ["explain", "fit", "predict"]

_DEFAULT_ROWS = 3


def fit(options: argparse.Namespace) -> int:
    """Fit a classifier to a table and save it."""
    refuse_to_overwrite(options.output, options.force, options.data)
    progress(f"reading {options.data}")
    data = read_input(
        options,
        target=options.target,
        id_column=options.id,
        kinds=dict(options.kind),
        drop_missing_target=options.drop_missing_target,
    )
    if data.target is None:
        names = ", ".join(data.names[:12]) + (", ..." if len(data.names) > 12 else "")
        raise UsageError(f"name the column to predict: --target COL; there are {names}")
    classifier = DeepLimitClassifier(
        options.activation,
        "auto" if options.exponent is None else options.exponent,
        options.projection,
        speed=options.speed,
        class_weight=options.class_weight,
        time_limit=options.time_limit,
        verbose=options.verbose,
    )
    progress(f"fitting {data.n_rows} rows")
    if is_pure(options):
        pipeline = Pipeline([("encoder", TableEncoder(data.kinds)), ("classifier", classifier)])
        pipeline.fit(data.features, data.target)
    else:
        # A pool encodes by the rows that are there, so that one forgotten leaves no trace.
        pipeline = Pipeline([("classifier", classifier)])
        pipeline.fit(of_kinds(data), data.target)
        classifier.verbose = False
    # Beside the estimators rather than in the file's header, whose size is limited.
    pipeline.ids_ = data.ids
    notes = {
        "target": str(data.target_name),
        "id_column": _id_column(options, data),
        "columns": list(data.names),
        "kinds": list(data.kinds),
        "header": options.header,
    }
    save(pipeline, options.output, notes=notes)
    told = _told_of_fit(options, data, classifier)
    if options.json:
        print_json(told)
    else:
        _print_fit(options, data, classifier, told)
    return 0


def is_pure(options: argparse.Namespace) -> bool:
    """Whether the options ask for a rule of the pure system."""
    pure = (options.activation, options.exponent, options.projection) != (None, None, "auto")
    return pure or bool(options.speed == "paper")


def _id_column(options: argparse.Namespace, data: Table) -> str | None:
    if options.id is not None:
        return str(options.id)
    # An NPZ may bring ids of its own.
    return None if data.ids.dtype.kind in "iu" else "ids"


def _told_of_fit(
    options: argparse.Namespace, data: Table, classifier: DeepLimitClassifier
) -> dict[str, Any]:
    assert data.target is not None
    counts = Counter(data.target.tolist())
    told: dict[str, Any] = {
        "model": str(options.output),
        "rows": data.n_rows,
        "columns": dict(zip(data.names, data.kinds, strict=True)),
        "target": data.target_name,
        "classes": {str(c): counts[c] for c in classifier.classes_.tolist()},
        "regime": classifier.regime_,
        "exponent": classifier.exponent_,
        "leave_one_out": None,
        "notes": list(data.notes),
    }
    parts = np.array(list(counts.values())) / data.n_rows
    alone = {"log_loss_of_class_frequencies": -float(np.sum(parts * np.log(parts)))}
    if is_pure(options):
        if classifier.loo_losses_ is not None:
            told["leave_one_out"] = {
                "log_loss": classifier.loo_losses_.min(),
                **alone,
                "exponents": classifier.loo_exponents_,
                "log_losses": classifier.loo_losses_,
            }
    elif len(counts) > 1:
        left_out = classifier.leave_one_out()
        told["leave_one_out"] = {
            "log_loss": left_out.log_loss,
            **alone,
            "accuracy": left_out.accuracy,
        }
    return told


def _print_fit(
    options: argparse.Namespace,
    data: Table,
    classifier: DeepLimitClassifier,
    told: dict[str, Any],
) -> None:
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(data.kinds).items())
    classes = [f"{label} {count}" for label, count in told["classes"].items()]
    more = f" and {len(classes) - 12} more" if len(classes) > 12 else ""
    rows, features = _count(data.n_rows, "row"), _count(len(data.names), "column")
    say(f"{options.data}: {rows}, {features} ({kinds})")
    say(paragraph(f"{told['target']}: {', '.join(classes[:12])}{more}", "  ", "    "))
    for note in data.notes:
        say(paragraph(f"note: {note}", "  ", "    "))
    say(paragraph(classifier.regime_, "", "  "))
    if told["leave_one_out"] is not None:
        loo = told["leave_one_out"]
        what = "leave-one-out"
        if "accuracy" in loo:
            what = f"of rows left out: accuracy {loo['accuracy']:.4f},"
        say(
            paragraph(
                f"{what} log-loss {loo['log_loss']:.4f} (from class frequencies alone: "
                f"{loo['log_loss_of_class_frequencies']:.4f})",
                "  ",
                "    ",
            )
        )
    say(f"model written to {options.output}")
    if len(classes) == 1:
        (only,) = told["classes"]
        tell(f"warning: all rows are of class {only!r}: nothing to tell apart")


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def predict(options: argparse.Namespace) -> int:
    """Predict the rows of a table."""
    if options.output is not None:
        refuse_to_overwrite(options.output, options.force, options.data, options.model)
    model = open_model(options.model)
    rows = read_rows(options, model)
    progress(f"predicting {len(rows)} rows")
    classes = model.classifier.classes_.tolist()
    probabilities = model.pipeline.predict_proba(rows.features)
    answers = [classes[i] for i in np.argmax(probabilities, axis=1)]
    accuracy = _accuracy(model, rows, answers)
    if options.output is not None:
        with options.output.open("w", encoding="utf-8", newline="") as file:
            _write_csv(file, rows, classes, answers, probabilities if options.proba else None)
    if options.json:
        print_json(_predictions(rows, classes, answers, probabilities, accuracy))
    elif options.output is None:
        text = io.StringIO()
        _write_csv(text, rows, classes, answers, probabilities if options.proba else None)
        say(text.getvalue().rstrip("\n"))
    else:
        say(f"{_count(len(rows), 'prediction')} written to {options.output}")
    if accuracy is not None and not options.json:
        tell(_accuracy_line(model, accuracy))
    return 0


def _write_csv(
    file: Any, rows: Rows, classes: list[Any], answers: list[Any], probabilities: Any
) -> None:
    writer = csv.writer(file, lineterminator="\n")
    head = [rows.id_column or "row", "prediction"]
    if probabilities is None:
        writer.writerow(head)
        writer.writerows(zip(rows.ids, answers, strict=True))
        return
    writer.writerow([*head, *(f"probability_{label}" for label in classes)])
    for identity, answer, shares in zip(rows.ids, answers, probabilities.tolist(), strict=True):
        writer.writerow([identity, answer, *shares])


def _predictions(
    rows: Rows, classes: list[Any], answers: list[Any], probabilities: Any, accuracy: Any
) -> dict[str, Any]:
    entries = [
        {
            "row": i,
            "id": rows.ids[i] if rows.id_column else None,
            "prediction": answers[i],
            "probabilities": dict(zip(map(str, classes), shares, strict=True)),
        }
        for i, shares in enumerate(probabilities.tolist())
    ]
    return {"predictions": entries, "accuracy": accuracy}


def _accuracy(model: Model, rows: Rows, answers: list[Any]) -> dict[str, Any] | None:
    """Compare with the target where the table has it, and tell how many rows were examples."""
    if not rows.labels:
        return None
    at = list(rows.labels)
    right = sum(str(answers[i]) == str(rows.labels[i]) for i in at)
    return {
        "rows": len(at),
        "right": right,
        "value": right / len(at),
        "coincide": _coinciding(model, rows.take(at)),
    }


def _coinciding(model: Model, features: Any) -> int | None:
    """Count the rows that are examples themselves; None in a regime that does not tell."""
    if model.pooled:
        return int(model.among_examples(features).sum())
    try:
        found = model.classifier.contributions(model.points(features), top=1)
    except ValueError:
        return None
    return int(found.exact.sum())


def _accuracy_line(model: Model, accuracy: dict[str, Any]) -> str:
    n, coincide = accuracy["rows"], accuracy["coincide"]
    line = (
        f"accuracy {accuracy['value']:.4f} ({accuracy['right']} of {n} rows with {model.target!r})"
    )
    if coincide:
        line += f"; it was fitted on {coincide} of them, which flatters it"
    return line


def explain(options: argparse.Namespace) -> int:
    """Tell which examples decide."""
    model = open_model(options.model)
    rows = read_rows(options, model)
    at = _chosen(options.rows, len(rows))
    points = model.points(rows.take(at))
    found = model.classifier.contributions(points, top=options.top)
    coincides = model.among_examples(points) if model.pooled else found.exact
    flip = model.classifier.flip(points) if options.flip else None
    probabilities = model.classifier.predict_proba(points)
    classes = model.classifier.classes_.tolist()
    ids = model.ids
    reports = []
    for i, row in enumerate(at):
        named = found.indices[i] >= 0
        examples = [
            {"example": ids[k], "class": label, "share": share}
            for k, label, share in zip(
                found.indices[i][named].tolist(),
                found.classes[i][named].tolist(),
                found.shares[i][named].tolist(),
                strict=True,
            )
        ]
        reports.append(
            {
                "row": row,
                "id": rows.ids[row] if rows.id_column else None,
                "prediction": classes[int(np.argmax(probabilities[i]))],
                "truth": rows.labels.get(row),
                "probabilities": dict(
                    zip(map(str, classes), probabilities[i].tolist(), strict=True)
                ),
                "scores": dict(zip(map(str, classes), found.class_shares[i].tolist(), strict=True)),
                "coincides": bool(coincides[i]),
                "examples": examples,
                "others": float(found.rest[i]),
            }
        )
        if flip is not None:
            reports[-1]["flip"] = {
                "possible": bool(flip.possible[i]),
                "becomes": flip.after.tolist()[i] if flip.possible[i] else None,
                "without": [ids[k] for k in flip.removed[i].tolist()],
            }
    if options.json:
        print_json({"example_ids": model.id_column or "row", "rows": reports})
        return 0
    for i, report in enumerate(reports):
        say("\n" * (i > 0) + _reasons(report, model, rows))
    if options.rows is None and len(rows) > len(at):
        say(f"\nthe first {len(at)} of {len(rows)} rows; --rows chooses others")
    return 0


def _reasons(report: dict[str, Any], model: Model, rows: Rows) -> str:
    name = f"row {report['row']}"
    if report["id"] is not None:
        name += f" ({rows.id_column} {report['id']})"
    best = sorted(report["probabilities"].items(), key=lambda item: -item[1])[:3]
    shares = ", ".join(f"{label} {share:.3f}" for label, share in best if share > 0.0)
    head = f"{name}: {report['prediction']} (probabilities: {shares})"
    if report["truth"] is not None:
        right = str(report["truth"]) == str(report["prediction"])
        head += f"; {'which it is' if right else 'in truth ' + str(report['truth'])}"
    lines = [paragraph(head, "", "  ")]
    if model.pooled:
        # Probabilities are made of the scores: by a power, which the pool was fitted with.
        scores = ", ".join(f"{label} {report['scores'][label]:.3f}" for label, _ in best)
        lines.append(paragraph(f"scores, of which the shares are parts: {scores}", "  ", "    "))
    alone = report["coincides"] and not model.pooled
    if report["coincides"]:
        among = "it coincides with rows the model was fitted on"
        lines.append(f"  {among}{', which alone decide' if alone else ''}")
    entries = [
        (f"{e['share']:.4f}", str(e["class"]), str(e["example"]))
        for e in report["examples"]
        if e["share"] != 0.0 or not alone
    ]
    heads = ("share", model.target, model.id_column or "example (row, from 0)")
    lines.append(align(heads, entries, left=(1, 2)))
    others = len(model.classifier.ids_) - len(report["examples"])
    if others and not alone and (model.pooled or model.classifier.kernel_.positive):
        lines.append(f"  {report['others']:.4f}  the other {others} examples together")
    if "flip" in report:
        lines.append(paragraph(_flip(report["flip"]), "  ", "    "))
    return "\n".join(lines)


def _flip(flip: dict[str, Any]) -> str:
    if not flip["possible"]:
        return "there is no other class it could be"
    names = list(map(str, flip["without"]))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    what = _count(len(names), "example")
    return f"without {what} it would be {flip['becomes']}: {', '.join(names[:10])}{more}"


def _chosen(ranges: list[range] | None, n: int) -> list[int]:
    if ranges is None:
        return list(range(min(n, _DEFAULT_ROWS)))
    for rows in ranges:
        if rows[-1] >= n:
            raise ValueError(f"there is no row {rows[-1]}: the table has {n}, numbered from 0.")
    return [row for rows in ranges for row in rows]
