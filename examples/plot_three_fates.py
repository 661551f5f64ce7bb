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
# its way through the layers; filled points attract, hollow ones repel. Below: the classifier at
# infinite depth; the colour is the share of a class in the vote, dotted where it is three quarters.

import sys

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

import deeplimit as dl
from deeplimit.plotting import CobwebDisplay, DecisionBoundaryDisplay

X, y = make_moons((120, 80), noise=0.3, random_state=0)
X_test, y_test = make_moons((6000, 4000), noise=0.3, random_state=1)

fates = {
    "h2": "1-nearest neighbour",
    dl.design(dimension=2): "singular kernel, α = 2",
    "relu": "majority vote",
}
names = ["h₂(x) = (x² − 1)/√2", "(h₁(x) + h₃(x))/√2", "ReLU"]

plt.rcParams.update({"font.size": 10, "axes.titlesize": 11})
figure, axes = plt.subplots(2, 3, figsize=(8, 5.9), layout="constrained", height_ratios=[4, 5])
for (activation, fate), name, (above, below) in zip(fates.items(), names, axes.T, strict=True):
    start = -0.5 if activation == "relu" else 0.97
    CobwebDisplay.from_activation(activation, starts=[start]).draw_map(above)
    above.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    above.set(xlabel="correlation ξ → f(ξ)", ylabel="", title=name, aspect="equal")

    classifier = dl.DeepLimitClassifier(activation).fit(X, y)
    score = classifier.score(X_test, y_test)
    DecisionBoundaryDisplay.from_estimator(classifier, levels=[0.75]).plot(below, legend=False)
    below.set(title=fate, xlabel=f"test accuracy {score:.3f}", ylabel="", xticks=[], yticks=[])
    print(f"{name:22s} {classifier.regime_:60s} {score:.4f}")

if len(sys.argv) > 1:  # python examples/plot_three_fates.py docs/images/three_fates.png
    figure.savefig(sys.argv[1], dpi=150, pil_kwargs={"optimize": True})
