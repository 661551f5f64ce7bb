"""
The exponent that fits the dimension
====================================

Labels of points on the sphere :math:`S^2` are drawn from a known probability, so that the best
possible accuracy is known. The limit classifier comes closest to it at exponents near 2, the
dimension of the sphere. Far below, every example has a say everywhere and the larger class wins;
far above, only the nearest one is heard.
"""

# %%
# Nothing is trained and nothing tuned: a curve is the same classifier with other exponents. The
# gap to the Bayes rule closes like an inverse logarithm of the number of examples, so a finite
# sample may prefer an exponent next to the dimension; only the dimension
# itself is right in the limit.

import matplotlib.pyplot as plt
import numpy as np

import deeplimit as dl

rng = np.random.default_rng(0)


def sample(n):
    """Draw points on the sphere, labels and the probability of label 1."""
    X = rng.standard_normal((n, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    p = 1.0 / (1.0 + np.exp(1.0 - 4.0 * np.sin(9.0 * X[:, 2])))
    return X, (rng.random(n) < p).astype(int), p


X, y, _ = sample(3000)
X_test, _, p = sample(1500)
bayes = np.maximum(p, 1 - p).mean()


def accuracy(classifier, n=3000):
    """Expected accuracy on the test points: the probability of the label that is predicted."""
    label = classifier.fit(X[:n], y[:n]).predict(X_test)
    return np.where(label == 1, p, 1 - p).mean()


exponents = np.array([0.5, 1, 1.5, 2, 2.5, 3, 4, 8, 16])
few = [accuracy(dl.HilbertClassifier(exponent=a), 500) for a in exponents]
many = [accuracy(dl.HilbertClassifier(exponent=a)) for a in exponents]
network = [accuracy(dl.DeepLimitClassifier(dl.design(exponent=a))) for a in exponents[3:]]
nearest = accuracy(dl.OneNearestNeighborClassifier())

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.axhline(bayes, color="black", ls="--", lw=1)
ax.text(16, bayes - 0.004, "Bayes rule", ha="right", va="top")
ax.axhline(nearest, color="#0072B2", ls=":", lw=1.5)
ax.text(0.5, nearest - 0.005, "1-NN, 3000 examples", color="#0072B2", va="top")
ax.plot(exponents, many, "o-", color="#E69F00", label="singular kernel, 3000 examples")
ax.plot(exponents[3:], network, "s--", color="#009E73", ms=4, label="network designed for α, 3000")
ax.plot(exponents, few, "o-", color="#E69F00", alpha=0.5, ms=4, label="singular kernel, 500")
ax.axvline(2, color="grey", lw=0.8)
ax.set(xscale="log", xlabel="exponent α", ylabel="expected accuracy", ylim=(0.58, 0.9))
ax.set(xticks=[0.5, 1, 2, 4, 8, 16], xticklabels=["0.5", "1", "2", "4", "8", "16"])
ax.minorticks_off()
ax.legend(frameon=False, loc="lower right")
for a, one, other in zip(exponents, few, many, strict=True):
    print(f"alpha {a:4g}: {one:.4f} with 500 examples, {other:.4f} with 3000")
print(f"Bayes {bayes:.4f}, 1-NN {nearest:.4f}")
