import numpy as np
import pytest
from scipy.special import ndtr

from deeplimit.activations import Activation


@pytest.mark.parametrize(
    "t", [0.99999, 0.992188, 0.9921876, 1.0000001, -1.3642120323331013, -1.2056770341453387]
)
@pytest.mark.parametrize("way", ["formula", "function"])
def test_break_beside_an_end_of_a_panel(t, way):
    kink = Activation(
        f"max(x - ({t!r}), 0)" if way == "formula" else lambda z: np.maximum(z - t, 0)
    )
    np.testing.assert_allclose(kink.B1, ndtr(-t) / kink.norm2, rtol=1e-11)
    step = Activation(
        f"where(x > {t!r}, 1, 0)" if way == "formula" else lambda z: np.where(z > t, 1.0, 0.0)
    )
    np.testing.assert_allclose(step.norm2, ndtr(-t), rtol=1e-12)
