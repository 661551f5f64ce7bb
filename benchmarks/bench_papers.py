"""Papers sorted by a few likes: the limit classifier beside others, on pages of papers.

    python benchmarks/bench_papers.py --pages DIR [--draws N] [--seed N] [--json FILE]

Each page that lies in DIR as text stands for an interest in turn. Area under the ROC curve with 3
and 10 likes, draws that the limit classifier wins, calibration, time of a click.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deeplimit.documents import align
from deeplimit.papers import Library, read_file, vectors_of
from deeplimit.papers.contest import OWN, compete

LIKES = (3, 10)
#: How far behind the best of the others the ranking may be, and how long a click may take.
ALLOWED, CLICK_MS = 0.01, 50.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=Path, required=True, metavar="DIR")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with Library(":memory:") as library:
        for path in sorted(options.pages.glob("*.txt")):
            library.add(read_file(path))
        papers = library.papers()
    vectors = vectors_of(papers)
    results = [
        compete(papers, likes, draws=options.draws, seed=options.seed, vectors=vectors)
        for likes in LIKES
    ]
    names = list(results[0].areas)
    rows = []
    for name in names:
        cells = [name]
        for result in results:
            entry = result.to_dict()["areas"][name]
            cells.append(f"{entry['mean']:.3f} ± {entry['standard_error']:.3f}")
            cells.append("" if name == OWN else f"{entry['wins']}/{options.draws}")
        rows.append(tuple(cells))
    head = ["area under the ROC curve"]
    for likes in LIKES:
        head += [f"{likes} likes", "won"]
    print(f"{len(papers)} papers, {options.draws} draws, seed {options.seed}\n")
    print(align(tuple(head), rows))
    for result in results:
        told = result.to_dict()
        click = told["click_ms"]
        print(
            f"\n{result.likes} likes: {result.lead:+.3f} ± {told['lead_standard_error']:.3f} "
            f"beside {result.best_other} ({'holds' if result.lead >= -ALLOWED else 'FAILS'}: "
            f"at least -{ALLOWED}); a click {click['median']:.1f} ms, at most "
            f"{click['largest']:.1f} "
            f"({'holds' if click['largest'] <= CLICK_MS else 'FAILS'}: at most {CLICK_MS:.0f})"
        )
        print(
            f"  probabilities: calibration error {result.calibration_error:.3f}, log-loss "
            f"{result.log_losses[0]:.3f} beside {result.log_losses[1]:.3f} of the prior"
        )
    if options.json:
        options.json.write_text(json.dumps([r.to_dict() for r in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
