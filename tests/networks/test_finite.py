from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from deeplimit.networks import FiniteNetwork, empirical_nngp, empirical_ntk


def functional(network, phi):
    """The definition in one line a layer, for automatic differentiation to act on."""

    def outputs(weights, rows):
        for weight in weights[:-1]:
            rows = phi(rows @ weight.T) / np.sqrt(network.width * network.activation.norm2)
        return rows @ weights[-1].T

    return outputs


@pytest.mark.parametrize(
    ("name", "phi"),
    [("relu", torch.relu), ("tanh", torch.tanh), ("abs", torch.abs), ("erf", torch.erf)],
)
@pytest.mark.parametrize(("depth", "n_outputs"), [(0, 1), (1, 3), (3, 2)])
def test_the_layerwise_kernel_is_the_product_of_jacobians(name, phi, depth, n_outputs, sphere):
    network = FiniteNetwork(name, depth, 13, 4, n_outputs)
    X, Z = sphere(5, 4), sphere(3, 4, seed=1)

    def jacobian(rows):
        parts = torch.func.jacrev(functional(network, phi))(network.weights, torch.tensor(rows))
        return torch.cat([part.flatten(2) for part in parts], dim=2).numpy()

    expected = np.einsum("xip,zip->xz", jacobian(X), jacobian(Z)) / n_outputs
    np.testing.assert_allclose(empirical_ntk(network, X, Z), expected, rtol=1e-12, atol=1e-13)


def test_a_kink_that_is_hit_exactly_gives_a_finite_kernel():
    network = FiniteNetwork("relu", 2, 8, 3)
    assert np.array_equal(empirical_ntk(network, np.zeros((2, 3))), np.zeros((2, 2)))


def test_a_cusp_that_is_hit_exactly_is_an_error_and_not_a_number():
    network = FiniteNetwork("relu", 1, 8, 3)
    network.activation = SimpleNamespace(
        name="cusp", norm2=1.0, torch=lambda: lambda z: z * torch.sqrt(torch.abs(z))
    )
    assert np.isfinite(empirical_ntk(network, np.eye(3))).all()
    with pytest.raises(ValueError, match=r"derivative of cusp is not finite"):
        empirical_ntk(network, np.zeros((2, 3)))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_mean_over_networks_is_the_arc_cosine_kernel(depth, sphere, nngp_and_ntk):
    # The mean of N networks of width m differs from the limit by a bias of order 1/m and by
    # chance; the chance is bounded from the spread itself.
    X, width, n_networks = sphere(7, 4), 256, 30
    networks = [FiniteNetwork("relu", depth, width, 4, random_state=s) for s in range(n_networks)]
    sigma, theta = nngp_and_ntk(X, X, depth)
    for kernel, limit in ((empirical_nngp, sigma), (empirical_ntk, theta)):
        samples = np.array([kernel(network, X) for network in networks])
        error = samples.std(axis=0, ddof=1) / np.sqrt(n_networks)
        distance = np.abs(samples.mean(axis=0) - limit)
        assert np.all(distance <= 4.0 * error + 2.0 * depth / width)
        assert error.max() < 0.06 * limit.max()  # or the bound above would say nothing


def test_the_fluctuation_of_the_tangent_kernel_falls_like_the_root_of_the_width(sphere, relu_ntk):
    X, widths, n_networks = sphere(10, 5), [32, 64, 128, 256, 512], 16
    limit = relu_ntk(2)(X, X)
    distances = [
        np.mean(
            [
                np.linalg.norm(
                    empirical_ntk(FiniteNetwork("relu", 2, w, 5, random_state=s), X) - limit
                )
                for s in range(n_networks)
            ]
        )
        for w in widths
    ]
    slope = np.polyfit(np.log(widths), np.log(distances), 1)[0]
    assert -0.62 < slope < -0.38


def test_a_kernel_of_another_depth_is_told_apart(sphere, relu_ntk):
    X = sphere(10, 5)
    kernel = empirical_ntk(FiniteNetwork("relu", 2, 1024, 5), X)
    near, far = (
        np.linalg.norm(kernel - relu_ntk(depth)(X, X)) / np.linalg.norm(kernel) for depth in (2, 1)
    )
    assert near < 0.15 < far


def test_kernels_are_symmetric_positive_semidefinite_and_agree_on_blocks(sphere):
    network, X = FiniteNetwork("gelu", 2, 32, 4, 3), sphere(9, 4)
    for kernel in (empirical_ntk, empirical_nngp):
        whole = kernel(network, X)
        np.testing.assert_allclose(whole, whole.T, rtol=1e-12)
        assert np.linalg.eigvalsh(whole).min() > -1e-12
        np.testing.assert_allclose(kernel(network, X[:4], X), whole[:4], rtol=1e-12)


def test_a_seed_names_one_network_in_each_precision_and_leaves_other_generators_alone(sphere):
    X = sphere(6, 4)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global state itself is what is watched
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = (
        FiniteNetwork("relu", 2, 32, 4, random_state=seed, centered=False) for seed in (7, 7, 8)
    )
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert np.array_equal(first(X), second(X))
    assert np.abs(first(X) - other(X)).max() > 0.1
    single = FiniteNetwork("relu", 2, 32, 4, random_state=7, centered=False, dtype="float32")
    assert single.weights[0].dtype == torch.float32
    np.testing.assert_allclose(single(X), first(X), rtol=1e-4, atol=1e-5)


def test_a_centred_network_begins_as_zero_and_an_uncentred_one_does_not(sphere):
    X = sphere(6, 4)
    assert np.array_equal(FiniteNetwork("relu", 1, 16, 4)(X), np.zeros((6, 1)))
    assert np.abs(FiniteNetwork("relu", 1, 16, 4, centered=False)(X)).min() > 0


def test_read_only_rows_are_taken_and_kept(sphere):
    X = sphere(3, 4)
    X.flags.writeable = False
    assert FiniteNetwork("relu", 1, 16, 4)(X).shape == (3, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": -1}, "depth must be an integer of at least 0, got -1"),
        ({"depth": 1.5}, "depth"),
        ({"width": 0}, "width must be an integer of at least 1"),
        ({"n_features": 0}, "n_features"),
        ({"n_outputs": 0}, "n_outputs"),
        ({"dtype": "float16"}, "dtype"),
        ({"activation": "sign"}, "no tangent kernel"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    settings = {"activation": "relu", "depth": 1, "width": 4, "n_features": 3} | changes
    with pytest.raises(ValueError, match=message):
        FiniteNetwork(**settings)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((2, 4))])
def test_rows_of_another_shape_are_refused(X):
    network = FiniteNetwork("relu", 1, 4, 3)
    for use in (network, lambda rows: empirical_ntk(network, rows)):
        with pytest.raises(ValueError, match=r"X must have shape \(n, 3\)"):
            use(X)


def test_without_torch_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "deeplimit\[torch\]"'):
        FiniteNetwork("relu", 1, 4, 3)


def test_the_representation_tells_the_sizes():
    network = FiniteNetwork("relu", 1, 4, 3)
    assert repr(network) == ("FiniteNetwork('relu', depth=1, width=4, n_features=3, n_outputs=1)")
