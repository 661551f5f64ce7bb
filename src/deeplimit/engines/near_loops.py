"""The compiled loops of lists of nearest examples, and of kernel sums beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deeplimit.engines.distances import squared_distances
from deeplimit.engines.instructions import compiled, compiling, inlined, power
from deeplimit.engines.packed import TILE

# Examples whose distances are kept at a time: what eight queries have of them fits into the second
# cache.
_STRETCH = 4096
# A set has so many examples at most.
_DEEP = 8
# Halvings of a range that a bound is sought in: more would not tell equal numbers apart.
_HALVINGS = 24
_LARGEST = np.finfo(np.float64).max
# Distances that differ by less are not told apart by a slot.
_LEAST = 1e-290

# Logarithms of nothing are -inf, which fast arithmetic does not know.
exactly = compiling(fastmath=False, counts=True)


@inlined
def earlier(value: Any, place: Any, other: Any, there: Any) -> Any:
    """Tell whether one of two examples is the nearer, or equally near and listed before."""
    return value < other or (value == other and place < there)


@inlined
def keep_least(values: Any, places: Any, n: int, k: int) -> None:
    """Bring the k nearest of n examples to the front, in any order (Hoare's selection)."""
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) >> 1
        pivot, at = values[middle], places[middle]
        i, j = low, high
        while i <= j:
            while earlier(values[i], places[i], pivot, at):
                i += 1
            while earlier(pivot, at, values[j], places[j]):
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                places[i], places[j] = places[j], places[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            return


@inlined
def bound_of(values: Any, n: int, k: int, guess: float) -> Any:
    """Give a number that at least k of n numbers do not exceed, and few more than k.

    It is sought by halves, from a guess: to count the numbers below one is a matter of vectors.
    """
    low, high = values[0], values[0]
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    enough = k + (k >> 2) + 1
    if not (low < guess < high):
        guess = 0.5 * (low + high)
    for _ in range(_HALVINGS):
        found = 0
        for i in range(n):
            found += values[i] <= guess
        if found >= k:
            high = guess
            if found <= enough:
                break
        else:
            low = guess
        guess = 0.5 * (low + high)
    return high


@inlined
def put_in_order(
    values: Any, places: Any, n: int, heads: Any, spare: Any, names: Any, k: int,
    nearest: Any, listed: Any,
) -> None:  # fmt: skip
    """Write the k nearest of n examples, nearest first.

    They are dealt out to as many slots as there are examples, by distance, and the few that share
    a slot are put in order by insertion: a sort that halves would foretell every second step wrong.
    """
    low, high = values[0], values[0]
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    span = high - low
    scale = (n - 1) / span if span > _LEAST else 0.0
    for i in range(n + 1):
        heads[i] = 0
    for i in range(n):
        heads[int((values[i] - low) * scale) + 1] += 1
    for i in range(n):
        heads[i + 1] += heads[i]
    for i in range(n):
        slot = int((values[i] - low) * scale)
        at = heads[slot]
        heads[slot] = at + 1
        spare[at], names[at] = values[i], places[i]
    for i in range(1, n):
        value, place = spare[i], names[i]
        j = i
        while j > 0 and earlier(value, place, spare[j - 1], names[j - 1]):
            spare[j], names[j] = spare[j - 1], names[j - 1]
            j -= 1
        spare[j], names[j] = value, place
    for i in range(k):
        nearest[i], listed[i] = spare[i], names[i]


class Room(NamedTuple):
    """Room for squares, terms, what is seen of 8 queries, the sets, and what is put in order."""

    flat: Any
    terms: Any
    seen: Any
    names: Any
    count: Any
    bound: Any
    minima: Any
    hits: Any
    heads: Any
    sorted_by: Any
    sorted_names: Any


@compiled
def _list_nearest(
    x: Any, order: Any, n: int, q: Any, m: int,
    length: float, smooth: bool, coefficients: Any, k: int,
    values: Any, places: Any, sums: Any, made: Any,
) -> None:  # fmt: skip
    """Do what `list_nearest` says, in the room that it made."""
    panel, across = x.shape[2], _STRETCH // x.shape[2]
    flat, t, seen, names, count, bound, minima, hits, heads, sorted_by, sorted_names = made
    room, guess = seen.shape[1], 0.0
    euler, smoothness = np.e, 0.5 / (length * length)
    for g in range(q.shape[0]):
        rows = min(TILE, m - g * TILE)
        count[:] = 0
        bound[:] = _LARGEST
        for begin in range(0, x.shape[0], across):
            stretch = x[begin : begin + across]
            width = stretch.shape[0] * panel
            u = flat[: TILE * width].reshape(TILE, width)
            squared_distances(stretch, q[g], u)
            first = begin * panel
            there = min(_STRETCH, n - first)
            summed = min(there, coefficients.shape[1] - first)
            for r in range(rows):
                square = u[r, :there]
                if summed > 0:
                    near, term = square[:summed], t[:summed]
                    if smooth:
                        for j in range(near.size):
                            term[j] = power(euler, -near[j] * smoothness)
                    else:
                        for j in range(near.size):
                            term[j] = power(euler, -np.sqrt(near[j]) / length)
                    for c in range(sums.shape[1]):
                        a = coefficients[c, first : first + summed]
                        total = 0.0
                        for j in range(term.size):
                            total += a[j] * term[j]
                        sums[g * TILE + r, c] += total
                if k == 0:
                    continue
                value, name, taken = seen[r], names[r], count[r]
                if taken + there > room:
                    keep_least(value, name, taken, k)
                    taken = k
                    least = value[0]
                    for j in range(k):
                        least = max(least, value[j])
                    bound[r] = min(bound[r], least)
                least = bound[r]
                deep = _DEEP
                while deep > 1 and there // deep < 2 * k:
                    deep //= 2
                # The examples of a set are as far apart as there are sets.
                sets = there // deep
                least_of = minima[:sets]
                for j in range(sets):
                    least_of[j] = square[j]
                for row in range(1, deep):
                    some = square[row * sets : (row + 1) * sets]
                    for j in range(sets):
                        least_of[j] = min(least_of[j], some[j])
                near_sets = 0
                for i in range(sets):
                    near_sets += minima[i] <= least
                if near_sets > k:
                    guess = bound_of(minima, sets, k, guess)
                    least = min(least, guess)
                    bound[r] = least
                # What is written beyond the last one taken is written over: nothing is foretold.
                before, found = taken, 0
                for i in range(sets):
                    hits[found] = i
                    found += minima[i] <= least
                for h in range(found):
                    for j in range(hits[h], deep * sets, sets):
                        value[taken], name[taken] = square[j], first + j
                        taken += square[j] <= least
                for j in range(deep * sets, there):
                    value[taken], name[taken] = square[j], first + j
                    taken += square[j] <= least
                for j in range(before, taken):
                    name[j] = order[name[j]]
                count[r] = taken
        for r in range(rows if k else 0):
            value, name, taken = seen[r], names[r], count[r]
            if taken > 2 * k:
                keep_least(value, name, taken, k)
                taken = k
            i = g * TILE + r
            put_in_order(
                value, name, taken, heads, sorted_by, sorted_names, k, values[i], places[i]
            )


def list_nearest(
    x: Any, order: Any, n: int, q: Any, m: int,
    length: float, smooth: bool, coefficients: Any, k: int,
    values: Any, places: Any, sums: Any,
) -> None:  # fmt: skip
    """List the nearest examples of some queries, and sum kernels at the first examples.

    Parameters
    ----------
    x : (p, D, P)
        Coordinates of the examples, in panels of 256 bytes; the last may be filled up.
    order : (n,)
        Number of the example at each place.
    n : int
        How many there are.
    q : (m/8, D, 8)
        Queries by eights; those from the m-th on are none.
    m : int
        How many queries there are.
    length, smooth, coefficients : float, bool and (C, c)
        The sums are those of coefficient·exp(-r/length) over the first c examples, or of
        coefficient·exp(-r²/(2 length²)) if smooth.
    k : int
        How many nearest examples are listed, at most n.
    values, places : (m, k)
        Squared distances and numbers of the nearest examples, nearest first, equal ones by number.
    sums : (m, C)
        The sums.

    Notes
    -----
    Examples are cut into sets, of which the k-th least minimum bounds the k-th least distance: few
    are as near, and only their sets are looked at.
    """
    most = 2 * k + 2 * _STRETCH + 1
    room = Room(
        np.empty(TILE * _STRETCH), np.empty(_STRETCH),
        np.empty((TILE, most)), np.empty((TILE, most), np.int64),
        np.zeros(TILE, np.int64), np.empty(TILE),
        np.empty(_STRETCH), np.empty(_STRETCH, np.int64),
        np.empty(2 * k + 1, np.int64), np.empty(2 * k), np.empty(2 * k, np.int64),
    )  # fmt: skip
    _list_nearest(x, order, n, q, m, length, smooth, coefficients, k, values, places, sums, room)


@compiling(fastmath=True, counts=True)
def list_squares(x: Any, n: int, q: Any, m: int, out: Any) -> None:
    """Write all squared distances of m queries to n examples, laid out alike, into out (m, n)."""
    u = np.empty((TILE, x.shape[0] * x.shape[2]))
    for g in range(q.shape[0]):
        squared_distances(x, q[g], u)
        rows = min(TILE, m - g * TILE)
        out[g * TILE : g * TILE + rows] = u[:rows, :n]


@exactly
def sum_lists(
    places: Any, logs: Any, weight: Any, local: Any, index: Any,
    masses: Any, exponents: Any, densities: Any, factors: Any, out: Any,
) -> None:  # fmt: skip
    """Add what smoothers over nearest examples say of the classes, as `Lists.terms` has it.

    Parameters
    ----------
    places, logs : (m, k)
        Nearest examples of each row, and ln of their distances.
    weight, local, index : (n,)
        Weight, ln of the local scale and class of each example; no local scales are 0.
    masses, exponents, densities, factors : (s,)
        The smoothers, and the weight of each.
    out : (m, C)
        Increased by the shares of the classes times the weights.
    """
    m, k = places.shape
    terms, apart = np.empty(k), np.empty(k)
    for i in range(m):
        for s in range(masses.size):
            exponent, density = exponents[s], densities[s]
            least = np.inf
            for j in range(k if exponent != 0.0 else 0):
                place = places[i, j]
                apart[j] = logs[i, j] - density * local[place] if density != 0.0 else logs[i, j]
                if weight[place] > 0.0:
                    least = min(least, apart[j])
            hit = least == -np.inf
            before, total = 0.0, 0.0
            stop = 0
            for j in range(k):
                mine = weight[places[i, j]]
                part = min(masses[s] - before, mine)
                if part <= 0.0 and before >= masses[s]:
                    break
                before += mine
                if exponent == 0.0:
                    power = 1.0
                elif hit:
                    power = 1.0 if apart[j] == -np.inf else 0.0
                else:
                    power = np.exp(-exponent * (apart[j] - least))
                terms[j] = part * power if mine > 0.0 else 0.0
                total += terms[j]
                stop = j + 1
            if total > 0.0:
                share = factors[s] / total
                for j in range(stop):
                    out[i, index[places[i, j]]] += share * terms[j]
