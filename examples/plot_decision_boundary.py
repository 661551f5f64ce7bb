"""
How sure, and where
===================

A classifier of two columns says something of every place in the plane. Colours are as strong as it
is sure; thick lines divide the classes, thin ones are where a class is three quarters or nine
tenths probable.
"""

# %%
# Three classes that overlap. The nearest neighbour is certain everywhere, around each stray example
# too. The singular kernel hears all examples, the near ones loudest.
# The default classifier has weighed several such kernels by what they say of examples left out.
# Above each is its accuracy on new points.

import matplotlib.pyplot as plt
from sklearn.datasets import load_iris, make_blobs
from sklearn.linear_model import LogisticRegression

import deeplimit as dl
from deeplimit.plotting import DecisionBoundaryDisplay

X, y = make_blobs(
    1300, centers=[[0, 0], [2, 1], [0.3, 2.4]], cluster_std=[0.7, 0.8, 0.6], random_state=0
)
X, y, X_test, y_test = X[:150], y[:150], X[150:], y[150:]

figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.4), layout="constrained")
for ax, clf, title in (
    (axes[0], dl.OneNearestNeighborClassifier(), "nearest neighbour"),
    (axes[1], dl.DeepLimitClassifier(exponent="dimension"), "singular kernel"),
    (axes[2], dl.DeepLimitClassifier(), "default"),
):
    clf.fit(X, y)
    DecisionBoundaryDisplay.from_estimator(clf).plot(ax, legend=False)
    ax.set_title(f"{title}: {clf.score(X_test, y_test):.3f}")
    ax.set(xlabel="", ylabel="", xticks=[], yticks=[])

# %%
# Any classifier with probabilities can be drawn. One that does not keep its examples has to be
# given them; columns of a table have their names.

iris = load_iris(as_frame=True)
petals = iris.data[["petal length (cm)", "petal width (cm)"]]
species = iris.target_names[iris.target]
logistic = LogisticRegression().fit(petals, species)
DecisionBoundaryDisplay.from_estimator(logistic, petals, species).plot()

# %%
# The same for the default of this package, which holds its examples.

display = DecisionBoundaryDisplay.from_estimator(dl.DeepLimitClassifier().fit(petals, species))
display.plot()
