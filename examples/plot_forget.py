"""
Forgetting examples, and showing that they are forgotten
========================================================

Nothing was trained, so that nothing has to be untrained: a classifier without some of its examples
is the classifier that a fit without them gives. Its certificate shows that it is.
"""

# %%
# Two moons, and a patch in which somebody has turned the labels.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import deeplimit as dl
from deeplimit.plotting import DecisionBoundaryDisplay

X, y = make_moons(300, noise=0.15, random_state=0)
turned = np.flatnonzero(np.hypot(*(X - [0.0, 1.0]).T) < 0.35)
labels = y.copy()
labels[turned] = 1 - y[turned]
clf = dl.DeepLimitClassifier(exponent=2.0).fit(X, labels)

query = np.array([[0.0, 0.95]])
before = clf.certificate()
print("decided:", clf.predict(query), "by", clf.contributions(query).indices[0])
print(before)

# %%
# They go one after the other, the heaviest in the decision first. The decision turns when the
# smallest set that `flip` names is gone, and not before.

flip = clf.flip(query)
order = [i for i in clf.contributions(query, top=None).indices[0] if i in turned]
first = dl.DeepLimitClassifier(exponent=2.0).fit(X, labels)
shares = [clf.predict_proba(query)[0]]
for example in order:
    clf.forget([example])
    shares.append(clf.predict_proba(query)[0])
shares = np.array(shares)
turn = int(np.argmax(shares[:, 0] > shares[:, 1]))
print("the decision turned after", turn, "examples; flip said", flip.count[0])

# %%
# The classifier before and after, and the share of each class on the way.

figure, axes = plt.subplots(1, 3, figsize=(9.5, 2.8), layout="constrained")
for ax, model, title in (
    (axes[0], first, "before"),
    (axes[1], clf, f"without {len(order)} examples"),
):
    DecisionBoundaryDisplay.from_estimator(model).plot(ax, legend=False)
    ax.plot(*query[0], "+", ms=13, mew=2, color="black")
    ax.set(title=title, xlabel="", ylabel="", xticks=[], yticks=[])
for label, style in ((0, "-"), (1, "--")):
    axes[2].plot(
        shares[:, label], style, color=["#0072B2", "#E69F00"][label], label=f"class {label}"
    )
axes[2].axvline(turn, color="grey", lw=0.8)
axes[2].set(title="share in the decision at +", xlabel="examples forgotten", ylim=(0, 1))
axes[2].legend(frameon=False)

# %%
# A fit that never saw them has the same fingerprint, and giving them back restores the first one.

kept = clf.ids_
again = dl.DeepLimitClassifier(exponent=2.0).fit(X[kept], labels[kept])
print("same as a fit without them:", clf.certificate() == again.certificate())
clf.partial_fit(X[order], labels[order])
print("the first state again:", clf.certificate().fingerprint == before.fingerprint)
