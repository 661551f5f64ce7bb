from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deeplimit.engines import fused
from deeplimit.engines.precision import Arithmetic

HERE = Path(__file__).resolve().parent


def run(program, **environment):
    """Give what a program of this folder prints: Triton reads its settings when it is loaded."""
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / program)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_interpreted_kernel_holds_the_tolerance(tmp_path):
    answer = run(
        "interpreted.py",
        TRITON_INTERPRET="1",
        TRITON_CACHE_DIR=str(tmp_path),
        DEEPLIMIT_DEVICE="cpu",
    )
    assert answer["fused"]
    assert len(answer["errors"]) > 50
    assert {name: e for name, (e, _) in answer["errors"].items() if not e <= 1e-5} == {}
    assert [name for name, (_, agree) in answer["errors"].items() if not agree] == []
    error, repeated = answer["chunks"]
    # Of many terms the roundings cancel, if none of them is made again and again.
    assert error <= 1e-6
    assert repeated
    assert answer["crowded"] <= 1e-5
    # Four units at most for each of the four steps of a block, and four for what is left out.
    assert 0.0 < answer["lost"] <= 20.0


def test_the_kernel_compiles_for_a_gpu_to_instructions_of_tensor_cores(tmp_path):
    made = run("assembled.py", TRITON_CACHE_DIR=str(tmp_path))
    assert all(figures["binary"] > 0 for figures in made.values())
    # The most that a block of threads may share there.
    assert all(figures["shared"] <= figures["room"] for figures in made.values())
    for name, figures in made.items():
        # Three products of halves, in steps of 16 columns: fewer would have lost digits.
        halves = name.startswith("halves") and "small" not in name
        assert (figures["older"] > 0) == ("small" in name)
        assert figures["older"] % 3 == 0
        assert (figures["half"] >= 6) == halves
        assert figures["half"] % 3 == 0
        assert figures["other"] == 0
        assert (figures["f64"] > 0) == (name == "float64 products")
    assert made["halves, 32 columns"]["half"] == 2 * 3 * 2
    assert made["halves, 448 columns"]["log"] > 0


@pytest.mark.parametrize("columns", [32, 64, 96, 128, 192, 1024])
@pytest.mark.parametrize("queries", [1, 1000])
@pytest.mark.parametrize("plain", [True, False])
def test_the_shape_has_room_and_is_the_largest_that_has(columns, queries, plain):
    form = Arithmetic("float32", False, halves=True)
    before = 0
    for room in (49152, 65536, 101376, 166912, 232448):
        shape = fused.shape_of(form, columns, queries, plain=plain, room=room)
        if room > 80000:
            assert shape.memory(columns) < room
        assert shape.rows <= max(64, queries)
        assert shape.memory(columns) >= before
        before = shape.memory(columns)
