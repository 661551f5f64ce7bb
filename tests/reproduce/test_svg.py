from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from deeplimit.reproduce.results import Chart, Curve
from deeplimit.reproduce.svg import chart_svg


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("text")]


def test_points_lie_where_the_data_are() -> None:
    svg = chart_svg(Chart("t", "x", "y", [Curve("c", [1, 10, 100], [0.0, 0.5, 1.0])]))
    marks = re.findall(r'<circle class="dot c0" cx="([\d.]+)" cy="([\d.]+)"', svg)
    x = [float(a) for a, _ in marks[:3]]
    y = [float(b) for _, b in marks[:3]]
    # Equal steps of the logarithm, and of the value upwards.
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.2)
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.2)
    assert x[0] < x[2] and y[0] > y[2]


def test_axes_have_ticks_and_names() -> None:
    words = texts(chart_svg(Chart("t", "depth", "share", [Curve("c", [1, 1000], [0.2, 0.9])])))
    assert "depth" in words and "↑ share" in words and "c" in words
    assert {"1", "10", "100", "1,000"} <= set(words)
    assert sum(bool(re.fullmatch(r"0\.\d", w)) for w in words) >= 3


@pytest.mark.parametrize("log_y", [False, True])
def test_a_constant_and_levels(log_y: bool) -> None:
    chart = Chart(
        "t", "x", "y", [Curve("c", [2, 3], [0.5, 0.5])], log_y=log_y, levels={"goal": 0.75}
    )
    svg = chart_svg(chart)
    assert "nan" not in svg and "goal: 0.7500" in texts(svg)


def test_everything_lies_in_the_picture() -> None:
    curves = [Curve(f"curve {i}", [1, 5, 3000], [i, -i, 0.5], [9.0, 9.0, 9.0]) for i in range(6)]
    svg = chart_svg(Chart("t", "x", "y", curves))
    root = ElementTree.fromstring(svg)
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    for element in root.iter("text"):
        assert 0 <= float(element.attrib["x"]) <= width
        assert 0 <= float(element.attrib["y"]) <= height
    assert len({e.attrib["class"] for e in root.iter() if "dot" in e.attrib.get("class", "")}) == 6
