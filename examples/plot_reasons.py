"""
Which examples decide
=====================

The score of a class is a sum over its examples. Each example's share can be named, and taking an
example away changes the sum by just its share.
"""

# %%
# Two points among the moons: one inside a class, one between the classes. The area of a circle is
# the share of the example in the decision.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import deeplimit as dl

X, y = make_moons(150, noise=0.25, random_state=3)
clf = dl.DeepLimitClassifier(exponent="dimension").fit(X, y)
queries = np.array([[-0.6, 0.75], [0.62, 0.33]])
reasons = clf.contributions(queries, top=len(X))

figure, axes = plt.subplots(1, 2, figsize=(8, 2.9), layout="constrained", sharey=True)
colors = np.array(["#0072B2", "#E69F00"])
for ax, q, who, share, p in zip(
    axes, queries, reasons.indices, reasons.shares, clf.predict_proba(queries), strict=True
):
    ax.scatter(*X[who].T, s=3000 * share, color=colors[y[who]], alpha=0.45, lw=0)
    ax.scatter(*X.T, s=6, color=colors[y])
    ax.plot(*q, "+", ms=13, mew=2, color="black")
    top = int(np.argmax(p))
    ax.set_title(f"class {top} with {p[top]:.2f}; the first five have {share[:5].sum():.2f}")
    ax.set(xticks=[], yticks=[], aspect="equal")

# %%
# Forgetting the heaviest example of the second point: the odds change as its share says.

first = int(reasons.indices[1, 0])
share, label = reasons.shares[1, 0], y[first]
before = clf.predict_proba(queries[1:])[0]
expected = before.copy()
expected[label] -= share
expected /= 1.0 - share
keep = np.arange(len(X)) != first
refit = dl.DeepLimitClassifier(exponent=clf.exponent_).fit(X[keep], y[keep])
print("share of example", first, "of class", label, f"= {share:.4f}")
print("expected without it:", expected.round(12), " fitted without it:",
      refit.predict_proba(queries[1:])[0].round(12))  # fmt: skip
