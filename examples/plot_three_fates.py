"""
The activation decides what depth makes of a network
====================================================

Three infinitely wide and infinitely deep networks look at the same two classes, 120 examples of
one and 80 of the other. They differ in their activation alone. ReLU ends in the vote of the
majority, :math:`h_2` in the nearest neighbour, and an activation designed for the dimension of the
data, here 2, in a weighted vote of all examples.
"""

# %%
# Data and fates
# --------------
# Above: the dual map, what one layer does to the correlation of two inputs, and a correlation on
# its way through the layers. Below: the classifier at infinite depth; the colour is the share of
# a class in the vote.

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay

import deeplimit as dl
from deeplimit.plotting import ActivationDisplay

X, y = make_moons((120, 80), noise=0.3, random_state=0)
X_test, y_test = make_moons((6000, 4000), noise=0.3, random_state=1)

fates = {
    "h2": "1-nearest neighbour",
    dl.design(dimension=2): "singular kernel, α = 2",
    "relu": "majority vote",
}
names = ["h₂(x) = (x² − 1)/√2", "(h₁(x) + h₃(x))/√2", "ReLU"]
colors = ["#0072B2", "#E69F00"]
shades = LinearSegmentedColormap.from_list("shares", [colors[0], "white", colors[1]])

plt.rcParams.update({"font.size": 10, "axes.titlesize": 11})
figure, axes = plt.subplots(2, 3, figsize=(8, 5.9), layout="constrained", height_ratios=[4, 5])
for (activation, fate), name, (above, below) in zip(fates.items(), names, axes.T, strict=True):
    portrait = ActivationDisplay.from_activation(activation)
    above.plot([0, 1], [0, 1], color="grey", lw=0.9)
    above.plot(*portrait.curves["dual"]["dual"], color="#009E73", lw=2)
    above.plot(*portrait.curves["dual"]["cobweb"], color="#D55E00", lw=1.1)
    above.set(xlim=(0, 1.02), ylim=(0, 1.02), title=name, xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    above.set_xlabel("correlation ξ → f(ξ)")
    above.set_aspect("equal")

    classifier = dl.DeepLimitClassifier(activation).fit(X, y)
    score = classifier.score(X_test, y_test)
    DecisionBoundaryDisplay.from_estimator(
        classifier, X, ax=below, grid_resolution=120, eps=0.3, response_method="predict_proba",
        class_of_interest=1, plot_method="contourf", levels=np.linspace(0, 1, 11), cmap=shades,
        vmin=-0.4, vmax=1.4,
    )  # fmt: skip
    below.scatter(*X.T, s=12, c=[colors[k] for k in y], edgecolors="black", linewidths=0.3)
    below.set(title=fate, xlabel=f"test accuracy {score:.3f}", ylabel="", xticks=[], yticks=[])
    print(f"{name:22s} {classifier.regime_:60s} {score:.4f}")

if len(sys.argv) > 1:  # python examples/plot_three_fates.py docs/images/three_fates.png
    figure.savefig(sys.argv[1], dpi=150, pil_kwargs={"optimize": True})
