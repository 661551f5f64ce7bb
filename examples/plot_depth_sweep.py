"""
Two witnesses of a regime
=========================

Three Gaussian averages of an activation say what its infinitely deep network becomes. The kernel
itself, followed layer by layer, knows nothing of them. That both say the same is evidence.
"""

# %%
# Marks are measured in the layers, lines are predicted from the averages. A designed activation:
# correlations halve in each layer, and gaps as small as doubles have them double.

import deeplimit as dl
from deeplimit.plotting import DepthSweepDisplay

display = DepthSweepDisplay.from_activation(dl.design(dimension=2)).plot()
print("agree:", display.agrees)

# %%
# The third Hermite polynomial raises correlations to the third power. On the scale of the
# logarithm that is a straight line, too, and its slope is the degree.

DepthSweepDisplay.from_activation("h3").plot()

# %%
# GELU takes hundreds of layers to part inputs that were almost equal: their gap grows by 7 percent
# in a layer, and has far to go.

DepthSweepDisplay.from_activation("gelu").plot()

# %%
# The sweep of one activation beside the averages of another: they do not agree, and the figures
# say where.

sweep = dl.depth_sweep("erf")
display = DepthSweepDisplay.from_sweep(sweep, dl.taxonomy("tanh")).plot()
for quantity, (measured, predicted) in sweep.comparison(dl.taxonomy("tanh")).items():
    print(f"{quantity:14s} measured {measured:.6f}, predicted {predicted:.6f}")
