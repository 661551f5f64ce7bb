"""Pictures: display objects in scikit-learn's manner, drawn with matplotlib (extra ``plot``)."""

from deeplimit.plotting.attribution import AttributionDisplay
from deeplimit.plotting.boundary import DecisionBoundaryDisplay
from deeplimit.plotting.calibration import CalibrationDisplay
from deeplimit.plotting.cobweb import CobwebDisplay
from deeplimit.plotting.kernel import KernelDisplay
from deeplimit.plotting.learning import LearningCurveDisplay
from deeplimit.plotting.phases import PhaseDiagramDisplay
from deeplimit.plotting.portrait import ActivationDisplay
from deeplimit.plotting.sweep import DepthSweepDisplay

__all__ = [
    "ActivationDisplay",
    "AttributionDisplay",
    "CalibrationDisplay",
    "CobwebDisplay",
    "DecisionBoundaryDisplay",
    "DepthSweepDisplay",
    "KernelDisplay",
    "LearningCurveDisplay",
    "PhaseDiagramDisplay",
]
