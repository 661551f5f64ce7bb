from __future__ import annotations

import distributed
import numpy as np
import pytest

import deeplimit as dl
from deeplimit.engines.shards import ArrayShard, shard_contributors, shard_sums
from deeplimit.kernels.power import PowerKernel
from deeplimit.sums import class_sums, fit_lift, top_contributors
from engines.laws import assert_sums_agree, data, normalised

FIELDS = ["max_log", "positive", "negative", "hit_positive", "hit_negative"]


def cut(X, y, w, ids, at):
    return [
        ArrayShard(X[p], y[p], None if w is None else w[p], ids[p])
        for p in np.split(np.arange(len(X)), at)
    ]


@pytest.fixture(scope="module")
def cluster():
    local = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with local, distributed.Client(local) as client:
        yield client


@pytest.mark.parametrize("precision", ["double", "single"])
def test_the_bits_do_not_depend_on_who_sums(cluster, precision):
    X, y, w, Q = data(n=900)
    ids = np.arange(900)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    shards = cut(X, y, w, ids, [100, 400, 401])
    options = {"precision": precision}
    serial = shard_sums(kernel, lift, shards, Q, 3, **options)
    threads = shard_sums(kernel, lift, shards, Q, 3, n_jobs=3, **options)
    spread = shard_sums(kernel, lift, shards, Q, 3, client=cluster, **options)
    for field in FIELDS:
        bits = getattr(serial, field).tobytes()
        assert getattr(threads, field).tobytes() == bits
        assert getattr(spread, field).tobytes() == bits
    expected = class_sums(kernel, lift, X, y, w, Q, 3)
    assert_sums_agree(serial, expected, 2e-12 if precision == "double" else 1e-5)


def test_a_cluster_finds_the_heaviest(cluster):
    X, y, w, Q = data(n=300)
    Q[:5] = X[:5]
    X[7] = X[3]
    ids = np.arange(1000, 1300)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    shards = cut(X, y, w, ids, [5, 120])
    expected = top_contributors(kernel, lift, X, w, Q, 4)
    for client in (None, cluster):
        found, codes, weight = shard_contributors(kernel, lift, shards, Q, 4, 3, client=client)
        assert np.array_equal(found.indices, expected.indices + 1000)
        np.testing.assert_allclose(found.log_weights, expected.log_weights, rtol=1e-12)
        assert np.array_equal(codes, y[expected.indices])
        assert np.array_equal(weight, w[expected.indices])


def test_kernels_of_networks_travel(cluster):
    X, y, w, Q = data(n=200)
    X, Q = normalised(X), normalised(Q)
    lift, kernel = fit_lift(X), dl.LimitKernel("5d_opt")
    shards = cut(X, y, w, np.arange(200), [90])
    spread = shard_sums(kernel, lift, shards, Q, 3, client=cluster)
    assert_sums_agree(spread, class_sums(kernel, lift, X, y, w, Q, 3), 1e-10)


def test_progress_and_empty_shards():
    X, y, w, Q = data(n=50)
    lift, kernel = fit_lift(X, "euclidean"), PowerKernel(3.0)
    told = []
    shards = cut(X, y, w, np.arange(50), [0, 20, 20])
    sums = shard_sums(
        kernel, lift, shards, Q, 3, n_jobs=2, progress=lambda *count: told.append(count)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert_sums_agree(sums, class_sums(kernel, lift, X, y, w, Q, 3), 2e-12)
    none = shard_sums(kernel, lift, [], Q, 3)
    assert np.isneginf(none.max_log).all()
    few, codes, weight = shard_contributors(
        kernel, lift, cut(X[:2], y, w, np.arange(2), [1]), Q, 5, 3
    )
    assert np.all(few.indices[:, 2:] == -1)
    assert np.all(codes[:, 2:] == -1)
    assert np.all(weight[:, 2:] == 0)
    with pytest.raises(ValueError, match="k must be at least 1"):
        shard_contributors(kernel, lift, shards, Q, 0, 3)


def test_an_error_in_a_shard_is_the_callers():
    class Broken:
        def load(self):
            raise ValueError("the shard is gone")

    X, y, w, Q = data(n=50)
    lift = fit_lift(X, "euclidean")
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match="the shard is gone"):
            shards = [*cut(X, y, w, np.arange(50), [20]), Broken(), Broken()]
            shard_sums(PowerKernel(1.0), lift, shards, Q, 3, n_jobs=n_jobs)
