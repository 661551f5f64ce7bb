"""
Portraits of activations
========================

What an activation is, what one layer does, what depth makes of it: the portrait has the same four
panels in each regime, on the scales that show its law as a straight line.
"""

# %%
# An activation for data of dimension 4: correlations decay geometrically, by :math:`a_1 = A'^2` a
# layer, and what is left after dividing by :math:`a_1^L` is a kernel that grows like the distance
# to the power -4.

import deeplimit as dl
from deeplimit.plotting import ActivationDisplay

ActivationDisplay.from_activation(dl.design(dimension=4)).plot()

# %%
# A sine of exponent 8: next to the singularity the kernel oscillates around the power, with a
# fixed period in the logarithm of the distance. The inset shows the factor.

ActivationDisplay.from_activation("sine_13.83").plot()

# %%
# GELU: the correlations of all different inputs meet at one value, and the majority decides.

display = ActivationDisplay.from_activation("gelu").plot()
print(display.taxonomy)

# %%
# The sigmoid's correlations all go to 1. The network interpolates by a kernel that is positive
# definite on differences alone.

ActivationDisplay.from_activation("sigmoid").plot()
