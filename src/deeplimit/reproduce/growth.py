"""Check of the learning curve towards the Bayes rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimit.reproduce.headline import OPTIMAL, bank_for
from deeplimit.reproduce.problems import PROBLEMS
from deeplimit.reproduce.results import Chart, Curve, Result, Table
from deeplimit.reproduce.settings import Settings
from deeplimit.reproduce.statistics import estimate


def check_growth(settings: Settings) -> Result:
    """Measure the excess risk of matched networks as the sample grows."""
    sizes = settings.pick([300, 1000, 10_000], [1000, 10_000, 100_000])
    seeds, tests = settings.pick(4, 3), settings.pick(500, 2000)
    rows, curves, rises, falls = [], [], [], []
    data: list[dict[str, Any]] = []
    for name, problem in PROBLEMS.items():
        best = OPTIMAL[name]
        bank = bank_for(problem, settings, (best,))
        excess = np.empty((2, len(sizes), seeds))
        bayes = np.empty(seeds)
        for seed in range(seeds):
            settings.tell(f"learning curve in {name}: seed {seed + 1} of {seeds}")
            whole = problem.draw(sizes[-1], tests, 2000 + seed)
            truth = whole.test_labels
            bayes[seed] = np.mean((whole.test_posterior > 0.5) == (truth > 0))
            for i, size in enumerate(sizes):
                part = whole.first(size)
                labels = part.train_labels
                found = bank.scores(part.train, labels[:, None], part.test, settings.n_jobs)
                right = np.mean(np.where(found.sums[best][:, 0] < 0, -1.0, 1.0) == truth)
                excess[0, i, seed] = bayes[seed] - right
                excess[1, i, seed] = bayes[seed] - np.mean(labels[found.nearest] == truth)
        drop = estimate(excess[0, 0] - excess[0, -1])
        falls.append(excess[0, 0] - excess[0, -1])
        if drop.ratio < -2:
            rises.append(name)
        matched = [estimate(v) for v in excess[0]]
        nearest = [estimate(v) for v in excess[1]]
        for size, m, nn in zip(sizes, matched, nearest, strict=True):
            rows.append((name, f"{size:,}", str(m), str(nn)))
        curves.append(
            Curve(f"{best} in {name}", sizes, [m.mean for m in matched], [m.error for m in matched])
        )
        data.append(
            {
                "problem": name,
                "sizes": sizes,
                "bayes": estimate(bayes)._asdict(),
                "excess": [m._asdict() for m in matched],
                "excess_nearest": [m._asdict() for m in nearest],
                "drop": drop._asdict(),
            }
        )
    overall = estimate(np.mean(falls, axis=0))
    first = np.mean([d["excess"][0]["mean"] for d in data])
    last = np.mean([d["excess"][-1]["mean"] for d in data])
    nearest_last = np.mean([d["excess_nearest"][-1]["mean"] for d in data])
    figure = (
        f"risk above Bayes, mean of four problems: {first:.4f} at n = {sizes[0]:,}, {last:.4f} at "
        f"{sizes[-1]:,} (fall {overall}); 1-NN stays at {nearest_last:.4f}"
    )
    return Result(
        passed=overall.ratio > 2 and not rises and bool(last < nearest_last),
        figure=figure,
        tables=[
            Table(
                "Risk above the Bayes rule's, mean ± standard error",
                ("data", "n", "matched", "1-NN"),
                rows,
            )
        ],
        charts=[Chart("Risk above Bayes", "n", "excess risk", curves, levels={})],
        notes=[
            f"{seeds} seeds, {tests:,} test points each; smaller training sets are parts of the "
            "larger ones. Consistency promises that the excess vanishes, not how soon: the law is "
            "logarithmic, a tenfold sample takes off a small part.",
        ],
        data={"problems": data, "fall": overall._asdict()},
    )
