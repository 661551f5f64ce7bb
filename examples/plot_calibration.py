"""
Whether probabilities hold
==========================

Of the rows that are predicted with a confidence of 0.8, eight in ten should be correct. Marks are
groups of rows of about the same confidence; bars are 95 percent intervals.
"""

# %%
# Labels that nobody could know for certain, in two columns. The classifier needs no rows held out:
# each example is told by the others, exactly.

import numpy as np
from sklearn.linear_model import LogisticRegression

import deeplimit as dl
from deeplimit.plotting import CalibrationDisplay

rng = np.random.default_rng(0)


def sample(n):
    """Draw points of the plane, and labels that follow their distance from the origin."""
    X = rng.standard_normal((n, 2))
    return X, rng.random(n) < 1.0 / (1.0 + np.exp(3.0 - 3.0 * np.hypot(*X.T)))


X, y = sample(600)
clf = dl.DeepLimitClassifier().fit(X, y)
left_out = CalibrationDisplay.from_estimator(clf).plot()

# %%
# New rows say the same, within the intervals.

X_test, y_test = sample(2000)
held_out = CalibrationDisplay.from_estimator(clf, X_test, y_test).plot()
print(f"calibration error left out {left_out.error:.3f}, held out {held_out.error:.3f}")

# %%
# The nearest neighbour is always certain: all its rows are at confidence 1, and fewer are right. A
# straight line cannot see the circle and says about 0.6 of all rows. That is so on average, and of
# hardly any group: in the middle fewer are right, and far out on either side many more.

for other in (dl.OneNearestNeighborClassifier(), LogisticRegression()):
    display = CalibrationDisplay.from_estimator(other.fit(X, y), X_test, y_test)
    print(f"{type(other).__name__}: {display.error:.3f}")
display.plot()
