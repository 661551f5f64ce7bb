"""Line charts as SVG text, without a script and without any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from deeplimit.reproduce.results import Chart, show

__all__ = ["chart_svg"]

# In units of the picture, which is as wide as a small phone.
_WIDTH, _LEFT, _RIGHT, _TOP, _PLOT, _FOOT = 360.0, 46.0, 10.0, 12.0, 180.0, 34.0
_LINE = 14.0
_COLOURS = 6
_MARKS = ("circle", "square", "diamond", "triangle", "circle", "square")


class _Axis:
    """A scale from data to the picture."""

    def __init__(self, values: Sequence[float], log: bool, start: float, stop: float) -> None:
        self.log = log
        numbers = [self._of(v) for v in values if math.isfinite(v) and (v > 0 or not log)]
        low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
        margin = 0.05 * (high - low) or 0.5
        self._low, self._high = low - margin, high + margin
        self._start, self._stop = start, stop

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def place(self, value: float) -> float:
        """Give the coordinate of a value, within the plot."""
        if self.log and value <= 0:
            return self._start
        share = (self._of(value) - self._low) / (self._high - self._low)
        return self._start + min(1.0, max(0.0, share)) * (self._stop - self._start)

    def ticks(self) -> list[float]:
        """Give some round values."""
        if self.log:
            first, last = math.ceil(self._low - 1e-9), math.floor(self._high + 1e-9)
            step = max(1, -(-(last - first) // 5))
            decades = [10.0**k for k in range(first, last + 1, step)]
            if len(decades) >= 2:
                return decades
            return [
                m * 10.0**k
                for k in range(first - 1, last + 1)
                for m in (1, 2, 5)
                if self._low <= math.log10(m * 10.0**k) <= self._high
            ]
        rough = (self._high - self._low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        width = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first = math.ceil(self._low / width)
        return [k * width for k in range(first, math.floor(self._high / width) + 1)]


def chart_svg(chart: Chart) -> str:
    """Draw a chart.

    Parameters
    ----------
    chart : Chart
        What to draw; its colours are the classes ``c0`` to ``c5`` of the page's style.

    Returns
    -------
    str
        An ``svg`` element.

    Examples
    --------
    >>> from deeplimit.reproduce.results import Chart, Curve
    >>> svg = chart_svg(Chart("Share", "depth", "share", [Curve("a < b", [1, 10], [0.5, 1.0])]))
    >>> svg.startswith("<svg"), "a &lt; b" in svg
    (True, True)
    """
    legend = [(c.name, i) for i, c in enumerate(chart.curves)]
    rows = len(legend) + len(chart.levels)
    height = _TOP + _PLOT + _FOOT + 2 * _LINE + rows * _LINE
    bottom = _TOP + _PLOT
    xs = [x for c in chart.curves for x in c.x]
    ys = [y for c in chart.curves for y in c.y] + list(chart.levels.values())
    x_axis = _Axis(xs, chart.log_x, _LEFT, _WIDTH - _RIGHT)
    y_axis = _Axis(ys, chart.log_y, bottom, _TOP)
    out = [
        f'<svg viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(chart.title, quote=True)}">'
    ]
    for value in y_axis.ticks():
        y = y_axis.place(value)
        out.append(f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}"/>')
        out.append(_text(_LEFT - 5, y + 4, _tick(value), "end"))
    for value in x_axis.ticks():
        x = x_axis.place(value)
        out.append(f'<path class="grid" d="M{x:.1f} {_TOP:g}V{bottom:g}"/>')
        out.append(_text(x, bottom + 15, _tick(value), "middle"))
    out.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 30, chart.x_label, "middle"))
    for name, value in chart.levels.items():
        y = y_axis.place(value)
        out.append(
            f'<path class="level" d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}">'
            f"<title>{escape(name)}</title></path>"
        )
    for i, curve in enumerate(chart.curves):
        colour = f"c{i % _COLOURS}"
        points = [(x_axis.place(x), y_axis.place(y)) for x, y in zip(curve.x, curve.y, strict=True)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        out.append(f'<path class="line {colour}" d="M{path}"/>')
        for (x, _), value, error in zip(points, curve.y, curve.error, strict=False):
            top, low = y_axis.place(value + error), y_axis.place(value - error)
            out.append(f'<path class="line {colour}" d="M{x:.1f} {top:.1f}V{low:.1f}"/>')
        out += [_mark(x, y, i) for x, y in points]
    y = bottom + _FOOT + _LINE
    out.append(_text(_LEFT, y, f"↑ {chart.y_label}", "start"))
    for name, i in legend:
        y += _LINE
        out.append(f'<path class="line c{i % _COLOURS}" d="M{_LEFT:g} {y - 4:g}h22"/>')
        out.append(_mark(_LEFT + 11, y - 4, i))
        out.append(_text(_LEFT + 28, y, name, "start"))
    for name, value in chart.levels.items():
        y += _LINE
        out.append(f'<path class="level" d="M{_LEFT:g} {y - 4:g}h22"/>')
        out.append(_text(_LEFT + 28, y, f"{name}: {show(value)}", "start"))
    return "".join([*out, "</svg>"])


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _tick(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e-0", "e−").replace("e+0", "e")
    return f"{round(value, 10):,.10g}".replace("-", "−")


def _mark(x: float, y: float, i: int) -> str:
    colour, kind = f"c{i % _COLOURS}", _MARKS[i % _COLOURS]
    if kind == "circle":
        return f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    shapes = {
        "square": "m-2.4 -2.4h4.8v4.8h-4.8z",
        "diamond": "m0 -3.4l3.4 3.4l-3.4 3.4l-3.4 -3.4z",
        "triangle": "m0 -3.2l3.1 5.4h-6.2z",
    }
    return f'<path class="dot {colour}" d="M{x:.1f} {y:.1f}{shapes[kind]}"/>'
