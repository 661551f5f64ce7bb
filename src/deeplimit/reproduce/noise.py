"""Check of unequal priors and label noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deeplimit.estimators import DeepLimitClassifier
from deeplimit.reproduce.headline import OPTIMAL, bank_for, decisions
from deeplimit.reproduce.problems import PRIOR, PROBLEMS
from deeplimit.reproduce.results import Result, Table
from deeplimit.reproduce.settings import Settings
from deeplimit.reproduce.statistics import estimate


class Setting(NamedTuple):
    """A prior of the first class and a share of labels turned over."""

    name: str
    prior: float
    noise: float


SETTINGS = (
    Setting("priors .4 and .6", PRIOR, 0.0),
    Setting("priors .15 and .85", 0.15, 0.0),
    Setting("20 % of labels wrong", PRIOR, 0.2),
    Setting("both", 0.15, 0.2),
)
RULES = ("Bayes", "matched", "Hilbert", "1-NN", "majority")


def check_noise(settings: Settings) -> Result:
    """Compare the rules under unequal priors and noise, and the bank with the public classifier."""
    seeds, train = settings.pick(5, 10), settings.pick(2500, 5000)
    tests = settings.pick(2000, 4000)
    rows, lost, data = [], [], []
    same = asked = 0
    least = np.inf
    for name in ("R³", "R⁵"):
        problem, best = PROBLEMS[name], OPTIMAL[name]
        bank = bank_for(problem, settings, (best,))
        for setting in SETTINGS:
            settings.tell(f"{name}, {setting.name}")
            right: dict[str, list[float]] = {}
            for seed in range(seeds):
                sample = problem.draw(
                    train, tests, 1000 + seed, prior=setting.prior, noise=setting.noise
                )
                rules = decisions(bank, sample, settings)
                rules["matched"] = rules.pop(best)
                for rule, decided in rules.items():
                    share = float(np.mean(decided == sample.test_labels))
                    right.setdefault(rule, []).append(share)
                if seed == 0:
                    public = DeepLimitClassifier(best, projection="none")
                    public.fit(sample.train, sample.train_labels)
                    part = slice(0, 500)
                    asked += 500
                    decided = public.predict(sample.test[part])
                    same += int(np.sum(decided == rules["matched"][part]))
            values = {rule: np.array(right[rule]) for rule in RULES}
            excess = {r: estimate(values["Bayes"] - values[r]) for r in RULES[1:]}
            gains = {r: estimate(values["matched"] - values[r]) for r in ("1-NN", "majority")}
            lost += [
                f"{r} in {name}, {setting.name} ({g})" for r, g in gains.items() if g.ratio <= 2
            ]
            least = min(least, *(g.ratio for g in gains.values()))
            rows.append((name, setting.name, *(str(estimate(values[r])) for r in RULES)))
            data.append(
                {
                    "problem": name,
                    "prior": setting.prior,
                    "noise": setting.noise,
                    "accuracy": {r: estimate(values[r])._asdict() for r in RULES},
                    "excess_risk": {r: e._asdict() for r, e in excess.items()},
                }
            )
    total = 2 * len(rows)
    figure = (
        f"the matched network beats 1-NN and majority in {total - len(lost)} of {total} "
        f"comparisons (least advantage {least:.1f} standard errors); the public classifier "
        f"decides {same} of {asked} points as the fast sums do"
    )
    notes = [
        f"n = {train:,}, {seeds} seeds, {tests:,} test points; accuracies are on noisy labels, "
        "for the Bayes rule too. No intercept and no weight was added anywhere.",
    ]
    if lost:
        notes.insert(0, "Not beaten: " + "; ".join(lost) + ".")
    return Result(
        passed=not lost and same == asked,
        figure=figure,
        tables=[Table("Accuracy, mean ± standard error", ("data", "setting", *RULES), rows)],
        notes=notes,
        data={
            "train": train,
            "tests": tests,
            "seeds": seeds,
            "settings": data,
            "public_same": same,
            "public_asked": asked,
        },
    )
