"""
More examples, and the best there is
====================================

A classifier is consistent if, with more and more examples, it comes to be as good as the best rule
there is, the Bayes rule. On data drawn from a known distribution that best is known.
"""

# %%
# Points on the sphere, whose dimension is 2, and labels that no rule can know for certain. The
# nearest neighbour stays behind by what it repeats of the noise. The singular kernel of exponent 2
# goes on to the Bayes rule, though slowly: the gap closes like an inverse logarithm. All see the
# same examples, and bars are standard errors over repeats.

import numpy as np

import deeplimit as dl
from deeplimit.plotting import LearningCurveDisplay


def draw(n, rng):
    """Draw points on the sphere, and labels of known probability."""
    X = rng.standard_normal((n, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X, rng.random(n) < probability(X)


def probability(X):
    """Give the probability of the label True."""
    return 1.0 / (1.0 + np.exp(0.5 - 2.0 * np.sin(4.0 * X[:, 2])))


display = LearningCurveDisplay.from_estimators(
    {
        "singular kernel, α = 2": dl.HilbertClassifier(exponent=2.0),
        "singular kernel, α = 8": dl.HilbertClassifier(exponent=8.0),
        "1-NN": dl.OneNearestNeighborClassifier(),
        "majority": dl.MajorityVoteClassifier(),
    },
    draw,
    sizes=[50, 100, 200, 400, 800, 1600],
    repeats=6,
    bayes=lambda X: probability(X) > 0.5,
    test_size=1000,
).plot()

# %%
# The numbers, with their standard errors.

table = display.to_pandas()
print(table[table["n"].isin([50, 1600]) | table["n"].isna()].round(4).to_string(index=False))
