"""
A decision as a sum
===================

A score is a sum over examples, and a margin is a sum over columns. Both can be drawn so that the
sum is seen: each bar begins where the one before it ends.
"""

# %%
# Handwritten digits, and one that is not clear. Above, the examples that speak most for the class
# that is said and all others of that class; below, what speaks for the rest. The ends of the
# groups are the shares of the classes, and these add up to 1.

import numpy as np
from sklearn.datasets import load_digits, load_wine

import deeplimit as dl
from deeplimit.plotting import AttributionDisplay

X, y = load_digits(return_X_y=True)
clf = dl.DeepLimitClassifier(exponent="dimension").fit(X[:1200], y[:1200])
P = clf.predict_proba(X[1200:])
unclear = 1200 + int(np.argmin(np.sort(P, axis=1)[:, -1]))
display = AttributionDisplay.from_estimator(clf, X[unclear], top=8).plot()
print("it is a", y[unclear], "and the shares add up to", round(sum(display.totals.values()), 12))

# %%
# A table of wines. Which columns make the second wine the class that it is said to be, and not its
# strongest rival? What no column adds stands first; whiskers are standard errors of how the margin
# is split. The margin itself is exact.

wine = load_wine(as_frame=True)
model = dl.DeepLimitClassifier().fit(wine.data[::2], wine.target[::2])
found = model.columns(wine.data[1:3])
display = AttributionDisplay.from_columns(found, row=0, top=8).plot()
print(display.to_pandas().round(3).to_string())
