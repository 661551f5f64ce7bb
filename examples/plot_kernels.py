"""
What is left at infinite depth
==============================

Divided by what they shrink by, the kernels of deeper and deeper networks come to a limit. Which
one it is decides what the network does with its examples.
"""

# %%
# A designed activation: the limit has a singularity, the distance to the power -2. At depth 5 the
# kernel is still flat below a distance of 0.1; each further layer takes the law a step nearer to
# the singularity.

import numpy as np

import deeplimit as dl
from deeplimit.plotting import KernelDisplay

KernelDisplay.from_kernel(dl.LimitKernel(dl.design(dimension=2))).plot()

# %%
# "To the power -2" is not all there is to say. What remains beside the power is periodic in the
# logarithm of the distance, since a layer does at one scale what the last did at another. Mostly
# the factor is flat to the eye; for a steep sine it is not.

display = KernelDisplay.from_kernel(dl.LimitKernel("sine_13.83")).plot()
phase, factor = display.panels["factor"]["R"]
print(f"R between {factor.min():.1f} and {factor.max():.1f}, at phases "
      f"{phase[np.argmin(factor)]:.2f} and {phase[np.argmax(factor)]:.2f}")  # fmt: skip

# %%
# Where the nearest neighbour decides the kernel itself goes to 0 everywhere but at 1; its limit is
# in the order of the neighbours.

KernelDisplay.from_kernel(dl.LimitKernel("h2"), depths=[1, 2, 3, 5]).plot()

# %%
# Networks of finite depth have their own kernels, of training (NTK) and at random weights (NNGP).

KernelDisplay.from_kernel(dl.NetworkKernel("relu", depth=1), depths=[3, 10, 30]).plot()
