from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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


def test_the_kernel_compiles_for_a_gpu_to_instructions_of_tensor_cores(tmp_path):
    made = run("assembled.py", TRITON_CACHE_DIR=str(tmp_path))
    assert all(figures["binary"] > 0 for figures in made.values())
    # Three products of tf32 for each of float32: fewer would have lost digits.
    assert made["float32 products"]["tf32"] >= 3
    assert made["float32 products"]["tf32"] % 3 == 0
    assert made["float64 products"]["f64"] > 0
    assert made["float32 differences"]["tf32"] == 0
