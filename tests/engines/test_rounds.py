from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deeplimit.engines.rounds import Searched, depths_of, share

LEAF, END = 7, 2300


class Fake:
    """Searches whose estimates are off by what is known of each depth, and that keep a record."""

    def __init__(self, seed, m, n_classes=3, off=lambda limit: 0.3 / np.sqrt(limit), spread=0.2):
        self.rng = np.random.default_rng(seed)
        shares = self.rng.dirichlet(np.full(n_classes, 1.0 / spread), m)
        self.shares = shares
        self.noise = self.rng.uniform(-1.0, 1.0, shares.shape)
        self.off, self.width = off, 1.0
        self.calls: list[tuple[list[int], int]] = []
        self.ended = np.zeros(m, dtype=bool)

    def __call__(self, rows, limit):
        self.calls.append((rows.tolist(), limit))
        shares, off = self.shares[rows], self.off(limit)
        estimate = np.clip(shares + off * self.noise[rows], 0.0, 1.0)
        lower = np.maximum(shares - self.width * off, 0.0)
        upper = np.minimum(shares + self.width * off, 1.0)
        visited = np.minimum(limit + self.rng.integers(LEAF, size=len(rows)), END)
        ended = self.ended[rows]
        return Searched(lower, estimate, upper, ended, ~ended, visited.astype(np.int64))

    def depths(self):
        """The deepest search of each query."""
        deepest = np.zeros(len(self.shares), dtype=np.int64)
        for rows, limit in self.calls:
            deepest[rows] = np.maximum(deepest[rows], limit)
        return deepest


@given(
    part=st.floats(1e-6, 10.0),
    n=st.integers(1, 10**7),
    leaf=st.integers(1, 100),
)
def test_depths_grow_from_within_the_budget_to_the_end(part, n, leaf):
    end = n + n // 8 + 2
    depths = depths_of(part * n, n, leaf, end)
    assert depths[0] <= max(1.0, part * n)
    assert depths[0] >= min(8 * leaf, int(part * n), end)
    assert depths[-1] == end
    assert np.all(np.diff(depths) > 0)
    assert np.all(depths[2:-1] <= 4 * depths[1:-2] + 4)


@given(
    seed=st.integers(0, 10**6),
    m=st.integers(2, 60),
    n_classes=st.integers(2, 5),
    pairs=st.integers(60, 3000),
    power=st.sampled_from([0.2, 0.5, 2.0]),
)
def test_the_total_is_kept_and_nearly_used(seed, m, n_classes, pairs, power):
    fake = Fake(seed, m, n_classes, off=lambda limit: limit**-power)
    depths = depths_of(pairs, 2000, LEAF, END)
    found = share(fake, m, depths, LEAF, float(pairs * m))
    assert found.visited.sum() <= pairs * m + m * LEAF
    # Beyond the first round nothing is exceeded at all.
    if depths[0] + LEAF <= pairs:
        assert found.visited.sum() <= pairs * m
    cost = sum(len(rows) * limit for rows, limit in fake.calls)
    assert cost <= found.visited.sum() <= cost + LEAF * sum(len(rows) for rows, _ in fake.calls)
    # What is left would not pay for the next depth of a query that is still open.
    deepest = fake.depths()
    others = np.sort(found.upper, axis=1)[:, -2]
    still_open = np.flatnonzero((found.lower.max(axis=1) <= others) & (deepest < depths[-1]))
    if still_open.size:
        further = depths[np.searchsorted(depths, deepest[still_open], side="right")]
        assert pairs * m - found.visited.sum() <= further.max() + 2 * LEAF
    assert np.all(found.lower <= fake.shares) and np.all(fake.shares <= found.upper)
    assert np.all((found.lower <= found.estimate) & (found.estimate <= found.upper))


def test_the_closest_go_deepest():
    fake = Fake(0, 200, off=lambda limit: 0.1 / np.sqrt(limit))
    fake.width = 100.0
    depths = depths_of(100.0, 2000, 2, END)
    share(fake, 200, depths, LEAF, 20_000.0)
    deepest, two = fake.depths(), np.sort(fake.shares, axis=1)
    close = np.argsort(two[:, -1] - two[:, -2])
    assert deepest[close[0]] == depths[-1]
    assert np.all(deepest[close[-100:]] == depths[0])
    assert deepest[close[:10]].mean() > 10.0 * deepest[close[40:]].mean()


def test_where_the_first_estimates_are_worth_nothing_all_go_on():
    # Errors of the size of the shares at the first depth alone.
    fake = Fake(1, 200, off=lambda limit: 0.5 if limit < 60 else 0.01)
    fake.width = 100.0
    depths = depths_of(100.0, 2000, 2, END)
    assert depths[:2].tolist() == [16, 75]
    share(fake, 200, depths, LEAF, 20_000.0)
    assert np.mean(fake.depths() >= 75) > 0.9


def test_what_is_settled_or_ended_takes_no_more():
    fake = Fake(2, 50, off=lambda limit: 0.02)
    fake.ended[::5] = True
    depths = depths_of(500.0, 2000, LEAF, END)
    found = share(fake, 50, depths, LEAF, 25_000.0)
    two = np.sort(fake.shares, axis=1)
    settled = two[:, -1] - 0.02 > two[:, -2] + 0.02
    deepest = fake.depths()
    assert 10 < np.sum(settled & ~fake.ended) < 40
    assert np.all(deepest[settled | fake.ended] == depths[0])
    assert np.all(deepest[~settled & ~fake.ended] > depths[0])
    assert np.array_equal(found.reached, fake.ended)
    assert np.all(found.visited[settled] < depths[0] + LEAF)


def test_ties_go_by_the_order_of_the_queries():
    fake = Fake(3, 40)
    fake.shares[:], fake.noise[:] = [0.4, 0.4, 0.2], 0.0
    depths = depths_of(100.0, 2000, 2, END)
    share(fake, 40, depths, LEAF, 4000.0)
    assert np.all(np.diff(fake.depths()) <= 0)
    assert fake.depths()[0] > fake.depths()[-1]


def test_intervals_are_cut_by_those_of_former_rounds():
    fake = Fake(4, 30)
    first = fake(np.arange(30), 16)
    # Deeper searches know less, which real ones may for a while.
    fake.off = lambda limit: 0.3 / np.sqrt(limit) if limit < 60 else 0.5
    found = share(fake, 30, np.array([16, 75, END]), LEAF, 3000.0)
    assert np.sum(fake.depths() > 16) > 10
    assert np.array_equal(found.lower, first.lower)
    assert np.array_equal(found.upper, first.upper)


@pytest.mark.parametrize("total", [0.0, 10.0, np.inf])
def test_the_first_round_is_always_taken(total):
    fake = Fake(5, 8)
    found = share(fake, 8, np.array([16, 75, END]), LEAF, total)
    assert found.visited.min() >= 16
    if total < np.inf:
        assert len(fake.calls) == 1
    else:
        two = np.sort(fake.shares, axis=1)
        tied = two[:, -1] - two[:, -2] < 0.3 / np.sqrt(END)
        assert np.all(fake.depths()[tied] == END)
        assert len(fake.calls) < 40
