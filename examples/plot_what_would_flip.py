"""
What would flip a decision
==========================

A decision is a comparison of sums over examples. The smallest set of examples without which it
would be another is hence known exactly: no smaller set does it.
"""

# %%
# Three points among the moons. Filled circles are the examples that would have to go.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import deeplimit as dl

X, y = make_moons(150, noise=0.25, random_state=3)
clf = dl.DeepLimitClassifier(exponent="dimension").fit(X, y)
queries = np.array([[-0.6, 0.75], [0.1, 0.6], [0.62, 0.33]])
flip = clf.flip(queries)

figure, axes = plt.subplots(1, 3, figsize=(9.5, 2.7), layout="constrained", sharey=True)
colors = np.array(["#0072B2", "#E69F00"])
for ax, q, gone, before, after in zip(
    axes, queries, flip.removed, flip.before, flip.after, strict=True
):
    ax.scatter(*X.T, s=8, color=colors[y], alpha=0.6, lw=0)
    ax.scatter(*X[gone].T, s=45, color=colors[y[gone]], edgecolor="black", lw=0.8)
    ax.plot(*q, "+", ms=13, mew=2, color="black")
    ax.set_title(f"class {before}; {after} without {len(gone)} of {len(X)}")
    ax.set(xticks=[], yticks=[], aspect="equal")

# %%
# Decided anew, all sums afresh: without the set it is the other class, and without all of it but
# one it is not. A new fit with the same exponent agrees.

print(flip)
print("verified:", flip.verify(clf).tolist())
for q, gone in zip(queries, flip.removed, strict=True):
    keep = np.ones(len(X), dtype=bool)
    keep[gone] = False
    refit = dl.DeepLimitClassifier(exponent=clf.exponent_).fit(X[keep], y[keep])
    print(clf.predict([q]), "->", refit.predict([q]), "without", gone.size)

# %%
# How many examples a decision rests on says how firm it is. A label that is wrong makes an island
# in which one removal suffices.

grid = np.random.default_rng(0).uniform([-1.5, -1.0], [2.5, 1.5], (400, 2))
counts = clf.flip(grid).count
print("examples to remove, quartiles:", np.percentile(counts, [0, 25, 50, 75, 100]).tolist())
