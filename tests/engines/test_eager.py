from __future__ import annotations

import numpy as np
import pytest

from deeplimit.engines import eager
from deeplimit.engines.character import Character
from deeplimit.engines.precision import Arithmetic, Thresholds
from deeplimit.engines.profiles import profile_of
from deeplimit.engines.residents import Residents
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import fit_lift
from engines.adversary import CosineKernel, OddKernel

NEAR = Thresholds(0.05, 1e-3, 0.1)


def setting(kernel, form, kind="hemisphere", n=40, m=7):
    rng = np.random.default_rng(0)
    X, Q = rng.standard_normal((n, 18)), rng.standard_normal((m, 18))
    lift = fit_lift(X, kind)
    index, weight = rng.integers(0, 3, n), rng.uniform(0.5, 1.0, n)
    there = Residents(lift, X, index, weight, eager.pytorch().device("cpu"))
    character = Character.of(profile_of(kernel, lift, degree=5, bits=4))
    skip = np.arange(m) - 1
    visitors = there.visitors(there.images(Q), skip, form)
    return there, there.chunks(form, NEAR, character), visitors, skip


@pytest.mark.parametrize("kernel", [PowerKernel(3.0), PowerKernel(0.7), CosineKernel()])
@pytest.mark.parametrize("differences", [True, False])
@pytest.mark.parametrize("entries", [1, 10**6])
def test_sums_and_near_pairs_are_those_of_the_definition(monkeypatch, kernel, differences, entries):
    monkeypatch.setattr(eager, "_ENTRIES", entries)
    form = Arithmetic("float64", differences)
    there, chunks, (queries, norms, places), skip = setting(kernel, form)
    terms = eager.chunk_terms(chunks, queries, norms, places, 10**6)
    placement = there.placement
    x = chunks.examples.numpy()[placement.places]
    u = np.sum((queries.numpy()[:, None] - x[None]) ** 2, axis=2)
    squares = norms.numpy()[:, None] + chunks.norms.numpy()[placement.places]
    seen = placement.order[None, :] != skip[:, None]
    near = seen & (u < 0.05 * squares + 1e-3)
    if chunks.table is not None:
        near |= seen & (2.0 - u * chunks.gap_unit < 0.1)
    pairs = sorted(zip(terms.rows.tolist(), placement.at(terms.places).tolist(), strict=True))
    rows, columns = np.nonzero(near)
    assert pairs == sorted(zip(rows.tolist(), placement.order[columns].tolist(), strict=True))
    assert terms.count == len(pairs)
    chunk = np.searchsorted(placement.stops, placement.places, side="right")
    logs = kernel.log_at_gap(u * there.gap_unit)
    for c in range(placement.classes.size):
        mine = (chunk == c)[None, :] & seen & ~near
        least = np.where(mine, u, np.inf).min(axis=1)
        np.testing.assert_allclose(terms.units[c].numpy(), least, rtol=1e-12)
        scale = np.exp(logs + kernel.exponent / 2 * np.log(least * 2 * there.gap_unit)[:, None])
        exact = np.sum(np.where(mine, scale * placement.weights, 0.0), axis=1)
        unit = 1.0 if chunks.table is None else np.exp(1.0)
        np.testing.assert_allclose(terms.positive[c].numpy() * unit, exact, rtol=1e-2)
        if chunks.table is None:
            np.testing.assert_allclose(terms.positive[c].numpy(), exact, rtol=1e-10)


def test_both_signs_are_summed_apart():
    form = Arithmetic("float64", False)
    _, chunks, (queries, norms, places), _ = setting(OddKernel(), form, "stereographic")
    terms = eager.chunk_terms(chunks, queries, norms, places, 10**6)
    assert (terms.positive > 0).any()
    assert (terms.negative > 0).any()


def test_a_list_that_is_too_long_is_counted_and_given_up():
    form = Arithmetic("float64", False)
    _, chunks, (queries, norms, places), _ = setting(PowerKernel(3.0), form, m=20)
    crowded = Thresholds(3.0, 1.0, 0.0)
    chunks = type(chunks)(**(vars(chunks) | {"thresholds": crowded}))
    assert eager.chunk_terms(chunks, queries, norms, places, 5).count > 5
