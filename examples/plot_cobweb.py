r"""
Cobwebs: a layer applied again and again
========================================

A layer maps the correlation of two inputs to that of its outputs, by the dual map of its
activation. Depth applies the map again and again, and where that ends can be seen with a pencil:
up to the curve, across to the diagonal, up to the curve again.
"""

# %%
# The dual of the square is :math:`(1 + 2\xi^2)/3`. It meets the diagonal at 1/2 with slope 2/3,
# which attracts, and at 1 with slope 4/3, which repels. So all different inputs come to be
# correlated by 1/2, whatever they were before, and a deep network cannot tell them apart.

import matplotlib.pyplot as plt
import numpy as np

import deeplimit as dl
from deeplimit.plotting import CobwebDisplay

display = CobwebDisplay.from_activation("square").plot()
for point in display.points:
    print(f"{point.kind} at {point.correlation:.4f}, multiplier {point.multiplier:.4f}")

# %%
# An activation without a mean leaves orthogonal inputs orthogonal: here 0 attracts and 1 repels.
# How fast correlations fall at 0 (a multiplier of 1/2) and how fast gaps grow at 1 (a multiplier of
# 2) gives the exponent of the kernel that is left.

display = CobwebDisplay.from_activation(dl.design(dimension=2)).plot()
shrinks, grows = (p.multiplier for p in display.points[-2:])
print(f"exponent {-2 * np.log(shrinks) / np.log(grows):.3f}")

# %%
# ReLU meets the diagonal at 1 alone, and touches it there: the multiplier is 1, and correlations
# creep. GELU, its smooth relative, crosses the diagonal, but so flatly that the two can hardly be
# told apart, and correlations creep there, too.

figure, axes = plt.subplots(1, 2, figsize=(9, 4.8), layout="constrained")
CobwebDisplay.from_activation("relu", starts=[-0.6, 0.2]).plot(axes[0])
CobwebDisplay.from_activation("gelu", starts=[-0.6, 0.2], layers=200).plot(axes[1])
