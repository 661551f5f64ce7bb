"""The constants of the theory, to the last digits."""

from __future__ import annotations

import json

import numpy as np
import pytest

import deeplimit as dl

# E phi^2, A, A', B' of the activations: 30 digits by mpmath, rounded.
FACTS = {
    "relu": (0.5, 0.56418958354775628695, 0.70710678118654752440, 1.0),
    "leaky_relu": (0.50005, 0.55851976242227238, 0.71414214278390691, 1.0),
    "abs": (1.0, 0.79788456080286535588, 0.0, 1.0),
    "gelu": (0.4252214825702987, 0.432600950487958, 0.7667652205977676, 1.072031598436292),
    "silu": (0.3557755198173522, 0.3464067554350232, 0.8382662351655456, 1.066634241241915),
    "elu": (0.6449454174929239, 0.1998799438138206, 0.9483159948809983, 1.035904718604347),
    "softplus": (0.9212459088593003, 0.8398063306083667, 0.5209334177676509, 0.3184589836836931),
    "sigmoid": (0.293379035858093, 0.9231142726693027, 0.3814695220641732, 0.1528270117155937),
    "cos": (0.5676676416183063, 0.805018182194592, 0.0, 0.7615941559557649),
    "sin": (0.4323323583816937, 0.0, 0.9224522362915717, 1.313035285499331),
    "sin(2*x)": (0.4998322686860487, 0.0, 0.3828502073963947, 4.00268460160673),
    "sin(x/2)": (0.1967346701436833, 0.0, 0.9948159582684126, 1.020747041268399),
    "erf": (0.46455905439754, 0.0, 0.9558152765199201, 1.225700003785691),
    "tanh": (0.3942944903978412, 0.0, 0.9646086893737247, 1.17780723230418),
    "gaussian": (0.5773502691896258, 0.9306048591020996, 0.0, 1 / 3),
    "square": (3.0, 0.57735026918962576, 0.0, 4 / 3),
    "h2": (1.0, 0.0, 0.0, 2.0),
    "h3": (1.0, 0.0, 0.0, 3.0),
}

#: What the shared file calls otherwise.
FORMULAS = {
    "leaky_relu_0.01": "leaky_relu",
    "sin_freq_1": "sin",
    "sin_freq_2": "sin(2*x)",
    "sin_freq_0.5": "sin(0.5*x)",
    "cos_freq_1": "cos",
}


def check(phi, norm2, A, A1, B1):
    for key, expected in {"norm2": norm2, "A": A, "A1": A1, "B1": B1}.items():
        found = getattr(phi, key)
        assert abs(found - expected) <= 1e-12 * max(1.0, abs(expected)), (phi.name, key)
        # The stated error holds, up to the digits of the reference.
        assert abs(found - expected) <= 10 * phi.errors[key] + 2e-15 * max(1.0, abs(expected))
        assert phi.errors[key] <= 1e-12
        if expected == 0.0:
            assert found == 0.0 and phi.errors[key] == 0.0


@pytest.mark.parametrize("name", FACTS)
def test_facts(name):
    check(dl.Activation(name), *FACTS[name])


@pytest.mark.shared
def test_reference_constants(shared_data):
    reference = json.loads((shared_data / "theory" / "reference_constants.json").read_text())
    assert len(reference) >= 19
    for name, facts in reference.items():
        phi = dl.Activation(FORMULAS.get(name, name))
        # The file's zeros are what 50 digits of quadrature leave.
        expected = [float(facts[key]) for key in ("norm2", "A", "A1", "B1")]
        check(phi, *(0.0 if abs(value) < 1e-40 else value for value in expected))
        a = np.array(facts["a"], dtype=np.float64)
        np.testing.assert_allclose(phi.dual.coefficients(a.size), a, rtol=0, atol=1e-12)
        np.testing.assert_allclose(phi.hermite(a.size) ** 2, a, rtol=0, atol=1e-12)
