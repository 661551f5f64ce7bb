"""Frame times of the playground's map: 200 × 200 points, 300 examples, every regime.

A frame is what the page does between a change of a setting and the picture: the model is fitted
anew (at a finite depth by a system of 300 equations), its kernel sampled, and all points decided.
Needs Chromium. The bar is 50 ms a frame, by the median of the frames.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
from pathlib import Path

from deeplimit.playground.server import make_server

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from playground.chromium import Browser, Page

BAR, FRAMES = 50.0, 30
CASES = (
    ("singular kernel", "design_2", "inf"),
    ("singular kernel, depth 8", "design_2", "8"),
    ("singular kernel, dimension 10", "design_10", "inf"),
    ("nearest neighbour", "h2", "inf"),
    ("nearest neighbour, depth 5", "h2", "5"),
    ("nearest neighbour, depth 12", "h2", "12"),
    ("majority vote", "relu", "inf"),
    ("majority vote, depth 8", "relu", "8"),
    ("smooth interpolation", "softplus", "inf"),
    ("smooth interpolation, depth 8", "softplus", "8"),
    ("linear", "identity", "inf"),
)


def frames(page: Page, change: str) -> list[float]:
    """Make changes one after another; give the milliseconds that each frame took."""
    script = f"""(async () => {{
        const out = [];
        const rest = (ms) => new Promise((r) => setTimeout(r, ms));
        for (let k = 0; k < {FRAMES}; k++) {{
            const before = document.body.dataset.frames;
            {change}
            while (document.body.dataset.frames === before) await rest(1);
            out.push(Number(document.body.dataset.took));
            await rest(20);
        }}
        return out;
    }})()"""
    return list(page.value(script))


def main() -> int:
    worst = 0.0
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} processors, load {load:.1f} before; milliseconds a frame")
    print(f"{'':32s}{'fitted anew':>24s}{'seen from elsewhere':>24s}")
    print(f"{'':32s}{'median':>12s}{'least':>12s}{'median':>12s}{'least':>12s}")
    with make_server() as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        for name, activation, depth in CASES:
            page = browser.page(f"{address}#a={activation}&depth={depth}&count=300&flip=0.05")
            page.until("Number(document.body.dataset.frames) > 0")
            anew = frames(page, "playground.set({seed: 2 + k});")[5:]
            again = frames(page, "playground.repaint();")[5:]
            row = [statistics.median(anew), min(anew), statistics.median(again), min(again)]
            worst = max(worst, row[0])
            print(f"{name:32s}" + "".join(f"{value:12.1f}" for value in row), flush=True)
            page.close()
        server.shutdown()
    print(f"largest median {worst:.1f} ms, bar {BAR:g} ms")
    return 0 if worst < BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
