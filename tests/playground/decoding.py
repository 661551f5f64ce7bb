"""Profiles read back as the page reads them, in Python: a second reader of the format."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from deeplimit.playground.pieces import Pieces, log_odds


def decoded(profile: dict[str, Any], place: dict[str, Any]) -> Pieces:
    """Take pieces out of the numbers of a profile."""
    numbers = np.frombuffer(base64.b64decode(profile["numbers"]), dtype="<f8")
    edges = np.array(place["edges"])
    n = profile["grid"]["nodes"]
    rows = numbers[place["at"] : place["at"] + (len(edges) - 1) * n].reshape(-1, n)
    return Pieces(edges, rows, place["low"])


def read(
    profile: dict[str, Any], table: dict[str, Any], s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give ln|K| and the sign at gaps in (0, 2)."""
    far, side = s > 1, np.where(s > 1, 2 - s, s)
    log = decoded(profile, table["near"])(side)
    sign = np.ones_like(s)
    if (root := table.get("root_gap")) is not None:
        log, sign = log + np.log(np.abs(root - side)), np.sign(root - side)
    how = table["far"]
    x = log_odds(side)
    if "constant" in how:
        sign = np.where(far, sign * how["constant"], sign)
    elif "ratio" in how:
        ratio = decoded(profile, how["ratio"]).at(np.maximum(x, how["ratio"]["low"]))
        log = np.where(far, log + np.log(np.abs(ratio)), log)
        sign = np.where(far, np.sign(ratio), sign)
    elif "log" in how:
        pieces = decoded(profile, how["log"])
        log = np.where(far, pieces.at(np.maximum(x, how["log"]["low"])), log)
    else:
        ratio = decoded(profile, how["beside"]).at(np.maximum(x, how["beside"]["low"]))
        beside = np.logaddexp(0.0, 2 * log) / 2
        log = np.where(far, np.log(np.abs(ratio)) + beside, log)
        sign = np.where(far, np.sign(ratio), sign)
    return log, sign
