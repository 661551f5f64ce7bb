"""The methods that `tables.py` holds beside one another: each from a raw frame to probabilities.

A method is an estimator in scikit-learn's manner that takes a frame (float64, NaN where missing,
dtype category for categories) and labels 0, 1, … without a gap. What it needs before it can learn
is part of it, and so of its fit time. Peers get what a practitioner would give them: distances,
margins and linear models imputed, standardised and one-hot columns; trees their own handling of
missing cells and, where they have it, of categories.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

COUNTS = (1, 3, 5, 9, 15, 25, 45)
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
SVC_STRENGTHS = (0.1, 1.0, 10.0, 100.0)
# Of the kernel's exponent, times the number of columns (which have unit variance).
SVC_WIDTHS = (0.1, 0.3, 1.0, 3.0)
FOLDS = 3
TREES = 300
# Categories with a one-hot column of their own, and those HistGradientBoosting can take.
MOST_COLUMNS, MOST_CODES = 32, 254


@dataclass(frozen=True)
class Method:
    """A maker of an estimator for a seed, what it depends on, and what its figures mean.

    `settings` are part of a result's key. `weight` orders the work, nothing else.
    """

    make: Callable[[int], Any]
    settings: dict[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    probabilities: bool = True
    weight: float = 1.0


def _categories() -> Any:
    from sklearn.compose import make_column_selector

    return make_column_selector(dtype_include="category")


def _numbers() -> Any:
    from sklearn.compose import make_column_selector

    return make_column_selector(dtype_exclude="category")


def _one_hot() -> Any:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        max_categories=MOST_COLUMNS, handle_unknown="infrequent_if_exist", sparse_output=False
    )


def standardised() -> Any:
    """Numbers with the median in their gaps, standardised; categories as columns of 0 and 1."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer([("n", numbers, _numbers()), ("k", _one_hot(), _categories())])


def _folds(y: np.ndarray, seed: int) -> Any:
    from sklearn.model_selection import StratifiedKFold

    folds = max(2, min(FOLDS, int(np.bincount(y).max())))
    return StratifiedKFold(folds, shuffle=True, random_state=seed)


def _negative_log_loss(model: Any, X: Any, y: np.ndarray) -> float:
    # A fold may lack a class; a scorer of scikit-learn would then give NaN.
    from tables_scores import log_loss, spread

    shares = spread(model.predict_proba(X), model.classes_, int(y.max()) + 1)
    return -log_loss(shares, y)


class _Tuned:
    """A pipeline of `standardised` and a model, its parameters by a grid over folds."""

    score: Any = "accuracy"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def model(self) -> Any:
        raise NotImplementedError

    def grid(self, rows: int, columns: int) -> dict[str, list[Any]]:
        raise NotImplementedError

    def search(self, X: Any, y: np.ndarray, refit: bool = True) -> Any:
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import Pipeline

        columns = standardised().fit_transform(X).shape[1]
        grid = self.grid(len(y), columns)
        steps = Pipeline([("table", standardised()), ("model", self.model())])
        named = {f"model__{name}": values for name, values in grid.items()}
        return GridSearchCV(
            steps, named, scoring=self.score, cv=_folds(y, self.seed), refit=refit
        ).fit(X, y)

    def fit(self, X: Any, y: np.ndarray) -> _Tuned:
        found = self.search(X, y)
        self.best_, self.chosen_ = found.best_estimator_, found.best_params_
        return self

    def predict(self, X: Any) -> np.ndarray:
        return self.best_.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.best_.predict_proba(X)


class Neighbours(_Tuned):
    def model(self) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier()

    def grid(self, rows: int, columns: int) -> dict[str, list[Any]]:
        # A fold of two leaves half of the rows.
        return {"n_neighbors": [k for k in COUNTS if k <= max(1, rows // 2)]}


class Logistic(_Tuned):
    score = staticmethod(_negative_log_loss)

    def model(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=1000)

    def grid(self, rows: int, columns: int) -> dict[str, list[Any]]:
        return {"C": list(STRENGTHS)}


class SupportVectors(_Tuned):
    """Decisions are those of the machine, probabilities Platt's, from decisions over folds."""

    def model(self) -> Any:
        from sklearn.svm import SVC

        return SVC(cache_size=500)

    def grid(self, rows: int, columns: int) -> dict[str, list[Any]]:
        return {"C": list(SVC_STRENGTHS), "gamma": [g / columns for g in SVC_WIDTHS]}

    def fit(self, X: Any, y: np.ndarray) -> SupportVectors:
        from sklearn.base import clone
        from sklearn.calibration import CalibratedClassifierCV

        found = self.search(X, y, refit=False)
        self.chosen_ = found.best_params_
        steps = clone(found.estimator).set_params(**self.chosen_)
        self.calibrated_ = CalibratedClassifierCV(
            steps, cv=_folds(y, self.seed + 1), ensemble=False
        ).fit(X, y)
        self.best_ = self.calibrated_.calibrated_classifiers_[0].estimator
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return self.calibrated_.predict_proba(X)


class KeepCommon:
    """Categories beyond the commonest become missing: HistGradientBoosting takes 255 at most."""

    def fit(self, X: Any, y: Any = None) -> KeepCommon:
        self.kept_ = {
            name: list(X[name].value_counts().index[:MOST_CODES])
            for name in X.columns
            if X[name].dtype == "category" and len(X[name].cat.categories) > MOST_CODES
        }
        return self

    def transform(self, X: Any) -> Any:
        return X.assign(**{name: X[name].cat.set_categories(v) for name, v in self.kept_.items()})


def majority(seed: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def nearest(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(standardised(), KNeighborsClassifier(1))


def forest(seed: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    columns = [("k", _one_hot(), _categories())]
    return make_pipeline(
        ColumnTransformer(columns, remainder="passthrough"),
        RandomForestClassifier(TREES, random_state=seed, n_jobs=1),
    )


def histogram_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        KeepCommon(),
        HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed),
    )


def xgboost(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(enable_categorical=True, n_jobs=1, random_state=seed)


def paper(seed: int) -> Any:
    from sklearn.pipeline import make_pipeline

    from deeplimit import DeepLimitClassifier
    from deeplimit.tables import TableEncoder

    return make_pipeline(TableEncoder(), DeepLimitClassifier(n_jobs=1))


def ours(speed: str) -> Method:
    """This project's classifier at one of its speeds, on the frame as it is."""

    def make(seed: int) -> Any:
        from deeplimit import DeepLimitClassifier

        return DeepLimitClassifier(speed=speed)

    return Method(make, {"speed": speed}, ("deeplimit",), weight=3.0)


def registry(trials: int) -> dict[str, Method]:
    """All methods by name; `trials` configurations are tried where a search is drawn."""
    from tables_searches import BOOSTING_SPACE, KERNEL_SPACE, BoostingSearch, FeatureMachineSearch

    tuned = {"folds": FOLDS}
    return {
        "majority": Method(majority, weight=0.01),
        "1nn": Method(nearest, probabilities=False, weight=0.02),
        "knn": Method(Neighbours, {**tuned, "k": COUNTS}, weight=0.2),
        "logistic": Method(Logistic, {**tuned, "C": STRENGTHS}, weight=2.0),
        "svc": Method(
            SupportVectors, {**tuned, "C": SVC_STRENGTHS, "gamma": SVC_WIDTHS}, weight=4.0
        ),
        "forest": Method(forest, {"trees": TREES}, weight=0.4),
        "histgb": Method(histogram_boosting, weight=2.0),
        "xgboost": Method(xgboost, libraries=("xgboost",), weight=1.0),
        "lightgbm": Method(
            lambda seed: BoostingSearch(trials, seed),
            {"trials": trials, **BOOSTING_SPACE},
            ("lightgbm",),
            weight=10.0,
        ),
        "xrfm": Method(
            lambda seed: FeatureMachineSearch(trials, seed),
            {"trials": trials, **KERNEL_SPACE},
            ("xrfm", "torch"),
            weight=20.0,
        ),
        "paper": Method(paper, libraries=("deeplimit",), weight=1.0),
        "instant": ours("instant"),
        "full": ours("full"),
    }


#: Those that need more than is there yet are run when named.
LATER: tuple[str, ...] = ()


def versions(method: Method) -> dict[str, str]:
    """Give the versions of the libraries a result depends on."""
    names = ("numpy", "scipy", "sklearn", "pandas", *method.libraries)
    found = {name: importlib.import_module(name).__version__ for name in names}
    if "deeplimit" in method.libraries:
        # Its version stays while it is worked on, so that its sources are told apart as well.
        (folder,) = importlib.import_module("deeplimit").__path__
        digest = hashlib.sha256()
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.read_bytes())
        found["deeplimit sources"] = digest.hexdigest()[:12]
    return found
