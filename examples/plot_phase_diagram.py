r"""
The map of activations
======================

Three Gaussian averages decide the fate of an infinitely deep network: with :math:`E\,\phi^2 = 1`
they are :math:`A = E\,\phi`, :math:`A' = E\,\phi'` and :math:`B' = E\,\phi'^2`. Every activation
is a point of one of two maps.
"""

# %%
# Almost every activation in use has a mean, and lies in the left map: majority vote, or an
# interpolation. Without its mean the same function lies in the right one.

import numpy as np

import deeplimit as dl
from deeplimit.plotting import PhaseDiagramDisplay

PhaseDiagramDisplay.from_activations().plot()

# %%
# Any function can be put on the map, by name, by formula or as it is.

activations = ["relu", dl.Activation("relu").centered(), "x*sigmoid(2x)", np.arctan]
display = PhaseDiagramDisplay.from_activations(activations)
print(display.to_pandas().round(4).to_string())
