"""Pictures: display objects in scikit-learn's manner, drawn with matplotlib (extra ``plot``)."""

from deeplimit.plotting.phases import PhaseDiagramDisplay
from deeplimit.plotting.portrait import ActivationDisplay

__all__ = ["ActivationDisplay", "PhaseDiagramDisplay"]
