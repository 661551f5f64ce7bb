"""What a neural network becomes when it is infinitely wide and infinitely deep, as a classifier."""

