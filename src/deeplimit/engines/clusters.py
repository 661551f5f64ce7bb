"""A tree of class-pure clusters of images, with the moments and radii that bound kernel sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deeplimit.engines.cluster_moments import Moments, joined, moments
from deeplimit.sums.scaling import float_rows
from deeplimit.sums.weights import check_weights

__all__ = ["ClusterIndex", "Nodes"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Opening a leaf of so many members costs about as much as the bounds that would cut it in two.
LEAF_SIZE = 48
# An axis is estimated from this many rows of a cluster.
_SAMPLE = 256
# A coordinate that varies by this part of what the principal axis does is cut in its place: the
# boxes of the parts are then tight, and keep a query farther off than their balls.
_ALONG = 0.8
# A part smaller than this share of its cluster makes the tree deep: the cluster is cut in halves.
_LOPSIDED = 1 / 16
# Weights on a wider scale underflow beside each other.
_WEIGHT_SPAN = 2.0**600


class Nodes(NamedTuple):
    """The clusters as arrays: node k holds members start[k]:start[k]+number[k] if it is a leaf.

    Parameters
    ----------
    centre, first, last, weight, variance, spread, thin, thick, off, nearest, farthest, form
        The moments, as in `Moments.stack`.
    label, child, start, number, room : ndarray of int64, shape (N,)
        Class; first of two consecutive children, or -1 for a leaf; first member, how many, and for
        how many there was room at the build.
    roots : ndarray of int64, shape (number of classes with members,)
        The node of each class.
    members : ndarray of shape (n · D,)
        Leaf after leaf the coordinates of its members, coordinate by coordinate.
    mass : ndarray of shape (n,)
        Weights of the members, scaled by a power of two.
    """

    centre: Floats
    first: Floats
    last: Floats
    weight: Floats
    variance: Floats
    spread: Floats
    thin: Floats
    thick: Floats
    off: Floats
    nearest: Floats
    farthest: Floats
    form: NDArray[np.float32]
    label: Integers
    child: Integers
    start: Integers
    number: Integers
    room: Integers
    roots: Integers
    members: Floats
    mass: Floats


@dataclass(eq=False)
class ClusterIndex:
    """Class-pure clusters in a binary tree for each class.

    Each class is cut in two at its mean, along the coordinate that varies most or, where that
    varies far less than the principal axis, along that one, and so on down to leaves of `size`
    members; the tree is the same for the same rows. Of each node it knows what bounds a sum of a
    convex kernel over its members.

    Parameters
    ----------
    nodes : Nodes
        The clusters.
    n_classes : int
        Number of classes.
    rounding : float
        Bound of the distance between a given image and the true one.
    order : ndarray of int64, shape (n,)
        Position, among the rows given, of each member.
    parent : ndarray of int64, shape (N,)
        Node above each node, -1 for a root.

    Examples
    --------
    >>> index = ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], None, 2)
    >>> index.nodes.centre.ravel().tolist(), index.nodes.variance.tolist()
    ([0.5, 5.0], [0.25, 0.0])
    >>> index.forget(0)
    >>> len(index), index.nodes.centre.ravel().tolist()
    (2, [1.0, 5.0])
    """

    # A lift moves rows in to about here; squares and their sums are finite.
    FARTHEST: ClassVar[float] = 2.0**501

    nodes: Nodes
    n_classes: int
    rounding: float
    order: Integers
    parent: Integers
    _place: Integers = field(repr=False)
    _leaf: Integers = field(repr=False)

    def __len__(self) -> int:
        """Count the members that are left."""
        leaves = self.nodes.child < 0
        return int(self.nodes.number[leaves].sum())

    @property
    def n_features(self) -> int:
        """Number D of coordinates of an image."""
        return int(self.nodes.centre.shape[1])

    @classmethod
    def build(
        cls,
        points: ArrayLike,
        class_index: ArrayLike,
        weight: ArrayLike | None,
        n_classes: int,
        *,
        size: int = LEAF_SIZE,
        rounding: float = 0.0,
    ) -> Self:
        """Cluster the images of examples.

        Parameters
        ----------
        points : array-like of shape (n, D)
            Images of the examples under a lift (`Lift.transform`), finite and within 2^501.
        class_index : array-like of int, shape (n,)
            Class of each example, in 0..n_classes - 1.
        weight : array-like of shape (n,) or None
            Nonnegative weights; None means 1. An example of weight 0 is absent.
        n_classes : int
            Number of classes.
        size : int, default=48
            Most members of a leaf.
        rounding : float, default=0
            Bound of the distance between an image and its rounded coordinates: 0 if `lift.exact`,
            else for images of unit norm 2^-48.

        Returns
        -------
        ClusterIndex
            The tree.

        Raises
        ------
        ValueError
            If shapes, classes or weights do not fit, an image is not finite or too far out,
            positive weights differ by more than a factor 2^600, or `size` or `rounding` is out of
            range.

        Examples
        --------
        >>> len(ClusterIndex.build([[0.0], [1.0], [5.0]], [0, 0, 1], [1, 0, 2], 2))
        2
        """
        rows = float_rows(points)
        if rows.ndim != 2 or rows.shape[1] == 0:
            raise ValueError(f"a matrix with at least one column is expected, {rows.shape} was got")
        n = len(rows)
        label = np.asarray(class_index)
        if label.shape != (n,) or not (n == 0 or np.issubdtype(label.dtype, np.integer)):
            raise ValueError(f"the classes of {n} examples must be a vector of as many integers")
        if n and not (label.min() >= 0 and label.max() < n_classes):
            raise ValueError(f"class indices must lie in 0..{n_classes - 1}")
        if not bool(np.all(np.abs(rows) <= cls.FARTHEST)):
            raise ValueError("an image is not finite or beyond 2^501: give images of a fitted lift")
        if size < 1:
            raise ValueError(f"size must be at least 1, {size} was got")
        if not 0.0 <= rounding < np.inf:
            raise ValueError(f"rounding must be a finite nonnegative number, {rounding} was got")
        checked = check_weights(weight, n)
        mass = np.ones(n) if checked is None else checked
        present = np.flatnonzero(mass > 0.0)
        mass = mass[present]
        if mass.size and mass.max() > mass.min() * _WEIGHT_SPAN:
            raise ValueError(
                "positive weights differ by more than a factor 2^600: use the full sums instead"
            )
        if mass.size:
            mass = np.ldexp(mass, -int(np.frexp(mass.max())[1]))
        return cls._grow(rows, label, present, mass, n_classes, size, rounding)

    @classmethod
    def _grow(
        cls,
        rows: Floats,
        label: NDArray[np.integer],
        present: Integers,
        mass: Floats,
        n_classes: int,
        size: int,
        rounding: float,
    ) -> Self:
        ranked = np.argsort(label[present], kind="stable")
        order, mass = present[ranked], mass[ranked]
        edges = np.searchsorted(label[order], np.arange(n_classes + 1))
        spans = [(int(a), int(b)) for a, b in pairwise(edges) if a < b]
        parent, child = [-1] * len(spans), [-1] * len(spans)
        found: list[Moments] = []
        packed = np.empty(rows.shape[1] * order.size)
        # The list grows while it is walked: children come in pairs behind all earlier nodes.
        for node, (start, stop) in enumerate(spans):
            cluster = rows[order[start:stop]]
            here = moments(cluster, mass[start:stop])
            found.append(here)
            if stop - start <= size:
                packed[start * rows.shape[1] : stop * rows.shape[1]] = cluster.T.ravel()
                continue
            left = _half(cluster - here.centre)
            within = np.concatenate([np.flatnonzero(left), np.flatnonzero(~left)])
            order[start:stop] = order[start:stop][within]
            mass[start:stop] = mass[start:stop][within]
            cut = start + int(np.count_nonzero(left))
            child[node] = len(spans)
            spans += [(start, cut), (cut, stop)]
            parent += [node, node]
            child += [-1, -1]
        bounds = np.asarray(spans, dtype=np.int64).reshape(-1, 2)
        first = bounds[:, 0]
        nodes = Nodes(
            **Moments.stack(found, rows.shape[1])._asdict(),
            label=label[order[first]].astype(np.int64),
            child=np.asarray(child, dtype=np.int64),
            start=first.copy(),
            number=bounds[:, 1] - first,
            room=bounds[:, 1] - first,
            roots=np.flatnonzero(np.asarray(parent, dtype=np.int64) < 0),
            members=packed,
            mass=mass,
        )
        leaves = np.flatnonzero(nodes.child < 0)
        by_start = leaves[np.argsort(first[leaves])]
        place = np.full(len(rows), -1, dtype=np.int64)
        place[order] = np.arange(order.size)
        leaf = np.repeat(by_start, nodes.number[by_start])
        return cls(
            nodes,
            n_classes,
            float(rounding),
            order,
            np.asarray(parent, dtype=np.int64),
            place,
            leaf,
        )

    def forget(self, position: int) -> None:
        """Remove an example, in place; the positions of the others stay as they were.

        The moments of its leaf are computed anew from the members, and those above from the two
        parts of each node: nothing is subtracted, so that no digits are lost however many are
        removed. Radii above the leaf may stay wider than they need be, never narrower.

        Parameters
        ----------
        position : int
            Row of the example among those given to `build`.

        Raises
        ------
        ValueError
            If there is no such example: out of range, of weight 0 or removed before.

        Examples
        --------
        >>> index = ClusterIndex.build([[0.0], [1.0]], [0, 1], None, 2)
        >>> index.forget(1)
        >>> index.nodes.weight.tolist()
        [0.5, 0.0]
        """
        if not (0 <= position < self._place.size and self._place[position] >= 0):
            raise ValueError(f"no example is at position {position}: it may have been removed")
        nodes, place = self.nodes, int(self._place[position])
        leaf, d = int(self._leaf[place]), self.n_features
        start, room = int(nodes.start[leaf]), int(nodes.room[leaf])
        last = start + int(nodes.number[leaf]) - 1
        # The last member takes the place of the one that goes.
        block = nodes.members[start * d : (start + room) * d].reshape(d, room)
        block[:, place - start] = block[:, last - start]
        block[:, last - start] = 0.0
        nodes.mass[place] = nodes.mass[last]
        self.order[place] = self.order[last]
        self._place[self.order[place]] = place
        self._place[position] = -1
        nodes.number[leaf] -= 1
        members = np.ascontiguousarray(block[:, : last - start].T)
        self._write(leaf, moments(members, nodes.mass[start:last]))
        node = int(self.parent[leaf])
        while node >= 0:
            nodes.number[node] -= 1
            child = int(nodes.child[node])
            parts = [k for k in (child, child + 1) if nodes.number[k] > 0]
            empty = moments(np.zeros((0, d)), np.zeros(0))
            self._write(node, joined(self._read(parts), self._read(node)) if parts else empty)
            node = int(self.parent[node])

    def _read(self, which: int | list[int]) -> Moments:
        return Moments(*(getattr(self.nodes, name)[which] for name in Moments._fields))

    def _write(self, node: int, values: Moments) -> None:
        for name, value in values._asdict().items():
            getattr(self.nodes, name)[node] = value


def _half(apart: Floats) -> NDArray[np.bool_]:
    """Say which rows of a centred cluster go to its first part."""
    m = len(apart)
    largest = float(np.max(np.abs(apart)))
    if largest > 0.0:
        sample = apart[:: -(-m // _SAMPLE)] / largest
        axis = sample[np.argmax(np.sum(sample * sample, axis=1))]
        for _ in range(4):
            turned = (sample @ axis) @ sample
            length = float(np.linalg.norm(turned))
            if length == 0.0:
                break
            axis = turned / length
        along = apart @ axis
        # By absolute deviations: a rare value far out makes a variance, but no two clusters.
        varies = np.sum(np.abs(apart) / largest, axis=0)
        widest = int(np.argmax(varies))
        if varies[widest] >= _ALONG * np.sum(np.abs(along) / largest):
            along = apart[:, widest]
        left = np.asarray(along < 0.0)
        if _LOPSIDED * m <= np.count_nonzero(left) <= (1.0 - _LOPSIDED) * m:
            return left
        left = np.zeros(m, dtype=np.bool_)
        left[np.argsort(along, kind="stable")[: m // 2]] = True
        return left
    return np.arange(m) < m // 2
