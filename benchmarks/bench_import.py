"""Import time of the package, alone and with its estimators, beyond scikit-learn's.

    python benchmarks/bench_import.py [runs]

Each figure is the least of several fresh interpreters.
"""

from __future__ import annotations

import subprocess
import sys

STATEMENTS = {
    "import deeplimit": "import deeplimit",
    "numpy": "import numpy",
    "scikit-learn's neighbours": "import sklearn.neighbors",
    "Activation": "from deeplimit import Activation",
    "LimitKernel": "from deeplimit import LimitKernel",
    "DeepLimitClassifier": "from deeplimit import DeepLimitClassifier",
    "DeepLimitClassifier after scikit-learn": "import sklearn.neighbors; {start}"
    "from deeplimit import DeepLimitClassifier",
}
PROGRAM = "import time; {start}{statement}; print(time.perf_counter() - t)"
START = "t = time.perf_counter(); "


def seconds(statement: str, runs: int) -> float:
    if "{start}" in statement:
        program = f"import time; {statement.format(start=START)}; print(time.perf_counter() - t)"
    else:
        program = PROGRAM.format(start=START, statement=statement)
    return min(
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        )
        for _ in range(runs)
    )


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, statement in STATEMENTS.items():
        print(f"{name:42s}{1e3 * seconds(statement, runs):8.0f} ms")
