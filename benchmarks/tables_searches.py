"""Peers that are tuned by drawing configurations: LightGBM and xRFM, held to a validation part."""

from __future__ import annotations

from typing import Any

import numpy as np

VALIDATION = 0.2
#: Ranges drawn from: [low, high] uniform, or by the logarithm where the name says so.
BOOSTING_SPACE: dict[str, Any] = {
    "num_leaves, log": [7, 127],
    "learning_rate, log": [0.03, 0.3],
    "min_child_samples, log": [2, 60],
    "feature_fraction": [0.4, 1.0],
    "bagging_fraction": [0.5, 1.0],
    "lambda_l1, log": [1e-4, 10.0],
    "lambda_l2, log": [1e-4, 10.0],
    "rounds": 1000,
    "stopping": 30,
    "validation": VALIDATION,
}
#: The ranges its authors tune over with the kernel "l2"; their other kernel wants a graphics card.
KERNEL_SPACE: dict[str, Any] = {
    "bandwidth, log": [0.5, 200.0],
    "reg, log": [1e-6, 10.0],
    "exponent": [0.7, 1.4],
    "diag": [False, True],
    "kernel": "l2",
    "iters": 5,
    "validation": VALIDATION,
}
#: The libraries' own defaults, the first configuration tried.
USUAL_KERNEL = {"bandwidth": 10.0, "exponent": 1.0, "reg": 1e-3}
USUAL = {"num_leaves": 31, "learning_rate": 0.1, "min_child_samples": 20}


def validation_rows(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Part rows to learn from and rows to stop by, by class where every class has rows enough."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(y))
    classes = len(np.unique(y))
    by_class = np.bincount(y)[np.unique(y)].min() >= 2 and VALIDATION * len(y) >= classes
    learn, stop = train_test_split(
        rows, test_size=VALIDATION, random_state=seed, stratify=y if by_class else None
    )
    return learn, stop


def draw(space: dict[str, Any], rng: np.random.Generator) -> dict[str, float]:
    """Draw the numbers of a space; what is no range of two numbers is left to the caller."""
    drawn: dict[str, float] = {}
    for name, given in space.items():
        if not isinstance(given, list) or isinstance(given[0], bool | str):
            continue
        low, high = given
        if name.endswith(", log"):
            value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        else:
            value = float(rng.uniform(low, high))
        drawn[name.removesuffix(", log")] = round(value) if isinstance(low, int) else value
    return drawn


class BoostingSearch:
    """LightGBM: each configuration stops early by log-loss, the best one is fitted to all rows."""

    def __init__(self, trials: int, seed: int) -> None:
        self.trials, self.seed = trials, seed

    def fit(self, X: Any, y: np.ndarray) -> BoostingSearch:
        import lightgbm as lgb

        classes = int(y.max()) + 1
        fixed: dict[str, Any] = {
            "verbosity": -1,
            "num_threads": 1,
            "seed": self.seed,
            "deterministic": True,
            "force_col_wise": True,
            "feature_pre_filter": False,
            "bagging_freq": 1,
        }
        if classes == 2:
            fixed |= {"objective": "binary", "metric": "binary_logloss"}
        else:
            fixed |= {"objective": "multiclass", "metric": "multi_logloss", "num_class": classes}
        learn, stop = validation_rows(y, self.seed)
        known = lgb.Dataset(X.iloc[learn], y[learn], params=fixed, free_raw_data=False)
        held = lgb.Dataset(X.iloc[stop], y[stop], reference=known, free_raw_data=False)
        rng = np.random.default_rng(self.seed)
        best: tuple[float, int, dict[str, Any]] | None = None
        for trial in range(self.trials):
            chosen: dict[str, Any] = draw(BOOSTING_SPACE, rng) if trial else dict(USUAL)
            booster = lgb.train(
                fixed | chosen,
                known,
                BOOSTING_SPACE["rounds"],
                valid_sets=[held],
                callbacks=[lgb.early_stopping(BOOSTING_SPACE["stopping"], verbose=False)],
            )
            loss = booster.best_score["valid_0"][fixed["metric"]]
            if best is None or loss < best[0]:
                best = loss, booster.best_iteration, chosen
        assert best is not None
        _, rounds, chosen = best
        self.chosen_ = chosen | {"rounds": rounds}
        self.booster_ = lgb.train(fixed | chosen, lgb.Dataset(X, y), rounds)
        self.classes_ = np.arange(classes)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        shares = self.booster_.predict(X, num_threads=1)
        return np.column_stack([1.0 - shares, shares]) if shares.ndim == 1 else shares

    def predict(self, X: Any) -> np.ndarray:
        return np.argmax(self.predict_proba(X), axis=1)


class FeatureMachineSearch:
    """xRFM: its authors' ranges and settings, the best configuration by log-loss kept as it is.

    It needs a validation part to choose its iteration by, so that there is no fit to all rows.
    """

    def __init__(self, trials: int, seed: int) -> None:
        self.trials, self.seed = trials, seed

    def fit(self, X: Any, y: np.ndarray) -> FeatureMachineSearch:
        import torch
        from tables_methods import standardised
        from tables_scores import log_loss, spread
        from xrfm import xRFM

        torch.set_num_threads(1)
        self.table_ = standardised()
        Z = self.table_.fit_transform(X).astype(np.float32)
        learn, stop = validation_rows(y, self.seed)
        classes = int(y.max()) + 1
        rng = np.random.default_rng(self.seed)
        best = np.inf
        for trial in range(self.trials):
            chosen: dict[str, Any] = draw(KERNEL_SPACE, rng) if trial else dict(USUAL_KERNEL)
            diagonal = bool(rng.random() < 0.5)
            reg = chosen.pop("reg")
            kernel = {"kernel": KERNEL_SPACE["kernel"], "bandwidth_mode": "constant"}
            fitting = {
                "reg": reg,
                "iters": KERNEL_SPACE["iters"],
                "early_stop_rfm": True,
                "early_stop_multiplier": 1.1,
                "M_batch_size": 8192,
                "solver": "solve",
                "verbose": False,
            }
            model = xRFM(
                rfm_params={"model": {**kernel, "diag": diagonal, **chosen}, "fit": fitting},
                device=torch.device("cpu"),
                tuning_metric="logloss",
                classification_mode="prevalence",
                n_threads=1,
                random_state=self.seed,
                verbose=False,
            )
            model.fit(Z[learn], y[learn], Z[stop], y[stop])
            shares = spread(model.predict_proba(Z[stop]), np.arange(classes), classes)
            loss = log_loss(shares, y[stop])
            if loss < best:
                best, self.model_ = loss, model
                self.chosen_ = chosen | {"reg": reg, "diag": diagonal}
        self.classes_ = np.arange(classes)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.asarray(self.model_.predict_proba(self.table_.transform(X).astype(np.float32)))

    def predict(self, X: Any) -> np.ndarray:
        return np.argmax(self.predict_proba(X), axis=1)
