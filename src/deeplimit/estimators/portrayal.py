"""What a card shows of a model's inside: its smoothers, its distances, and a calibration plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimit.documents import Block, Heading, Paragraph, Table
from deeplimit.estimators.quality import Bin
from deeplimit.smoothers.pool import Pool
from deeplimit.smoothers.truncated import Setting
from deeplimit.tables.checks import column_names

__all__ = ["bins_svg", "column_parts", "made_of"]

Floats = NDArray[np.float64]

_LINES = 12
# In units of the picture.
# The left side holds the name of the axis and figures of four letters.
_SIDE, _LEFT, _TOP, _FOOT = 260.0, 56.0, 10.0, 42.0


def made_of(model: Any) -> list[Block]:
    """Tell what a classifier decides by.

    Parameters
    ----------
    model : ExplainedClassifier
        A fitted classifier.

    Returns
    -------
    list of blocks
    """
    blocks: list[Block] = [Heading("What it is made of, and why")]
    if getattr(model, "_pooled", False):
        blocks += _smoothers(model.pool_)
        origin, weight = model._model.encoder.origin_, model.pool_.weight
        features = [
            (g.features, g.weights.sum() + g.ridge_weight, origin[g.view.source])
            for g in model.pool_.groups
        ]
    else:
        blocks += _kernel(model)
        encoder = getattr(model, "_encoder", None)
        origin = np.arange(model._X.shape[1]) if encoder is None else encoder.origin_
        features, weight = [(model._X, 1.0, origin)], model._sample_weight
    names = column_names(model)
    parts = column_parts(features, weight, len(names))
    order = np.argsort(-parts, kind="stable")
    rows = tuple((names[j], f"{parts[j]:.1%}") for j in order[:_LINES] if parts[j] > 0.0)
    if rows:
        rest = float(parts[order[_LINES:]].sum())
        if order.size > _LINES:
            rows += ((f"others, {order.size - _LINES}", f"{rest:.1%}"),)
        text = "Part of each column in the mean squared distance between examples."
        blocks += [Heading("What its distances look at", 3), Paragraph(text)]
        blocks.append(Table(("column", "part"), rows))
    return blocks


def _smoothers(pool: Pool) -> list[Block]:
    lines: list[tuple[float, str, str]] = []
    kinds = []
    for group in pool.groups:
        for v, setting in zip(group.weights, group.settings, strict=True):
            lines.append((float(v), group.name, _in_words(setting)))
        if group.ridge is not None:
            words = f"kernel ridge, ridge {group.ridge.ridge:g}"
            lines.append((group.ridge_weight, group.name, words))
        whole = float(group.weights.sum()) + group.ridge_weight
        kinds.append((group.name, f"{whole:.1%}"))
    if pool.prior_weight > 0.0:
        lines.append((pool.prior_weight, "none", "shares of the classes"))
    lines.sort(key=lambda line: -line[0])
    rest = sum(line[0] for line in lines[_LINES:])
    rows = tuple((name, words, f"{v:.1%}") for v, name, words in lines[:_LINES])
    if len(lines) > _LINES:
        rows += (("others", f"{len(lines) - _LINES} more", f"{rest:.1%}"),)
    link = pool.link
    text = (
        "A weighted mean of smoothers. Each was tried on rows left out, and the weights are those "
        "of the least log-loss of the mean. The probabilities are the scores to the power "
        f"{link.power:.2f}, normalised, and {link.mixed:.2%} of the shares of the classes."
    )
    blocks: list[Block] = [
        Paragraph(text),
        Table(("distances", "smoother", "weight"), rows, left=(0, 1)),
    ]
    if len(kinds) > 1:
        text = (
            "Distances are between columns as standard scores, as scores of their ranks or as the "
            "odds of the classes along them, and these as they are or scaled by what they tell "
            "(anova: by themselves; agop: by the gradient of a ridge solution)."
        )
        blocks.append(Paragraph(text))
        blocks.append(Table(("distances", "weight"), tuple(kinds)))
    return blocks


def _in_words(setting: Setting) -> str:
    k = "all examples" if np.isinf(setting.mass) else f"{setting.mass:g} nearest"
    if setting.exponent == 0.0:
        return f"{k}, alike"
    by = ", distances by local scale" if setting.density else ""
    return f"{k}, exponent {setting.exponent:g}{by}"


def _kernel(model: Any) -> list[Block]:
    exponents = getattr(model, "loo_exponents_", None)
    if exponents is None:
        return [
            Paragraph("One kernel, without anything chosen from the data besides its settings.")
        ]
    chosen = int(np.argmin(model.loo_losses_))
    rows = tuple(
        (f"{a:.3g}", f"{loss:.4f}", "chosen" if k == chosen else "-")
        for k, (a, loss) in enumerate(zip(exponents, model.loo_losses_, strict=True))
    )
    text = "One singular kernel; its exponent is that of the least log-loss of rows left out."
    return [Paragraph(text), Table(("exponent", "log-loss", "choice"), rows, left=(2,))]


def column_parts(
    features: Sequence[tuple[Floats, float, NDArray[np.int64]]],
    weight: Floats,
    n_columns: int,
) -> Floats:
    """Give the part of each column in the mean squared distance between examples.

    Parameters
    ----------
    features : sequence of (ndarray of shape (n, q), float, ndarray of int64, shape (q,))
        For each kind of distance the features of the examples, its weight, and the column of the
        table that each feature was made of.
    weight : ndarray of shape (n,)
        Weights of the examples.
    n_columns : int
        Number of columns.

    Returns
    -------
    ndarray of shape (n_columns,)
        Summing to 1, or 0 where all examples coincide.
    """
    share = weight / weight.sum()
    parts = np.zeros(n_columns)
    for X, v, origin in features:
        variance = share @ (X - share @ X) ** 2
        if (total := variance.sum()) > 0.0:
            np.add.at(parts, origin, v * variance / total)
    total = parts.sum()
    return parts / total if total > 0.0 else parts


def bins_svg(bins: Sequence[Bin]) -> str:
    """Draw how often rows of some confidence are predicted correctly.

    Parameters
    ----------
    bins : sequence of Bin
        Rows by confidence.

    Returns
    -------
    str
        An ``svg`` element in the colours of the page.
    """
    least = min([0.9, *(min(b.confidence, b.low) for b in bins)])
    low = max(0.0, float(np.floor(10.0 * least)) / 10.0)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (1.0 - low) * _SIDE

    def y(value: float) -> float:
        return _TOP + (1.0 - value) / (1.0 - low) * _SIDE

    width, height = _LEFT + _SIDE + 12.0, _TOP + _SIDE + _FOOT
    bottom = y(low)
    out = [
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
        'aria-label="Calibration: share predicted correctly against confidence; the table below '
        'has the figures" font-family="system-ui, sans-serif" font-size="12">'
    ]
    for tick in np.linspace(low, 1.0, 6):
        across, up = x(float(tick)), y(float(tick))
        out.append(
            f'<path d="M{across:.1f} {_TOP:g}V{bottom:g}M{_LEFT:g} {up:.1f}H{_LEFT + _SIDE:g}" '
            'stroke="var(--line)"/>'
            f'<text x="{across:.1f}" y="{bottom + 16:g}" text-anchor="middle">{tick:.2g}</text>'
            f'<text x="{_LEFT - 6:g}" y="{up + 4:.1f}" text-anchor="end">{tick:.2g}</text>'
        )
    out.append(
        f'<path d="M{x(low):.1f} {y(low):.1f}L{x(1):.1f} {y(1):.1f}" stroke="currentColor" '
        'stroke-dasharray="5 4"/>'
        f'<text x="{_LEFT + _SIDE / 2:g}" y="{bottom + 34:g}" text-anchor="middle">confidence'
        "</text>"
        f'<text transform="translate(11 {_TOP + _SIDE / 2:g}) rotate(-90)" '
        'text-anchor="middle">predicted correctly</text>'
    )
    for b in bins:
        at, top, end = x(max(b.confidence, low)), y(b.high), y(max(b.low, low))
        out.append(
            f'<path d="M{at:.1f} {top:.1f}V{end:.1f}" stroke="var(--accent)" stroke-width="2"/>'
            f'<circle cx="{at:.1f}" cy="{y(max(b.accuracy, low)):.1f}" r="4" '
            'fill="var(--accent)"/>'
        )
    return "".join([*out, "</svg>"])
