"""What others offer for sums over all pairs, each at its best on one core: float32, exponent 3.

A peer is a function of examples, classes and queries that gives a function to time. Those that
give the same sums are held against ours before they are timed; the others do less (a product of
matrices, the nearest 10) and are here because people would use them, or call them the limit.
Where the tiles of examples are ours to choose they are of the size, of powers of two from 64 to
4,096, that was fastest here in ten columns. Products of matrices are here twice: in tiles of 2,048,
which are too large for the second cache, as those were on which the goals were set (they took as
long in ten columns as in thirty), and in the fastest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

Run = Callable[[], object]


class Peer(NamedTuple):
    name: str
    make: Callable[[np.ndarray, np.ndarray, np.ndarray], Run]
    same_sums: bool


def tiled_sgemm(X: np.ndarray, y: np.ndarray, Q: np.ndarray, size: int = 2048) -> Run:
    tiles = [np.ascontiguousarray(X[s : s + size]).T for s in range(0, len(X), size)]
    out = np.empty((len(Q), size), np.float32)

    def run() -> None:
        for tile in tiles:
            np.matmul(Q, tile, out=out[:, : tile.shape[1]])

    return run


def numpy_gemm(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    """The augmented product |q|² + |x|² - 2qx in tiles, then the power and the sums by class."""
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    left = np.hstack([-2.0 * Q, np.ones((len(Q), 1)), (Q**2).sum(1, keepdims=True)])
    right = np.hstack([X, (X**2).sum(1, keepdims=True), np.ones((len(X), 1))])
    left, right = left.astype(np.float32), right.astype(np.float32)
    hot = np.eye(y.max() + 1, dtype=np.float32)[y]
    size = 256
    room = np.empty((size, size), np.float32)

    def run() -> np.ndarray:
        sums = np.zeros((len(Q), hot.shape[1]), np.float32)
        for s in range(0, len(X), size):
            tile, classes = right[s : s + size].T, hot[s : s + size]
            for r in range(0, len(Q), size):
                u = np.matmul(left[r : r + size], tile, out=room[: len(left[r : r + size])])
                np.maximum(u, 1e-30, out=u)
                np.divide(1.0, u, out=u)
                np.multiply(u, np.sqrt(u), out=u)
                sums[r : r + size] += u @ classes
        return sums

    return run


def torch_eager(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    import torch

    torch.set_num_threads(1)
    size = 512
    x, q = torch.from_numpy(X), torch.from_numpy(Q)
    hot = torch.eye(int(y.max()) + 1)[torch.from_numpy(y)]
    xx, qq = (x**2).sum(1), (q**2).sum(1, keepdim=True)

    def run() -> object:
        sums = torch.zeros(len(q), hot.shape[1])
        for s in range(0, len(x), size):
            u = torch.addmm(xx[None, s : s + size], q, x[s : s + size].T, alpha=-2.0)
            w = u.add_(qq).clamp_(min=1e-30).rsqrt_()
            sums += (w * w * w) @ hot[s : s + size]
        return sums

    return run


def jax_scan(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    import jax
    import jax.numpy as jnp

    size = 128
    x = jnp.asarray(X[: len(X) // size * size].reshape(-1, size, X.shape[1]))
    hot = jnp.asarray(np.eye(y.max() + 1, dtype=np.float32)[y][: len(X) // size * size])
    hot = hot.reshape(-1, size, hot.shape[1])
    q = jnp.asarray(Q)
    qq = (q**2).sum(1, keepdims=True)

    @jax.jit
    def sums(x: object, hot: object) -> object:
        def step(carry: object, tile: tuple[object, object]) -> tuple[object, None]:
            rows, classes = tile
            u = qq + (rows**2).sum(1) - 2.0 * q @ rows.T
            w = jax.lax.rsqrt(jnp.maximum(u, 1e-30))
            return carry + (w * w * w) @ classes, None

        return jax.lax.scan(step, jnp.zeros((len(Q), hot.shape[2])), (x, hot))[0]

    return lambda: np.asarray(sums(x, hot).block_until_ready())


def keops(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    import torch
    from pykeops.torch import LazyTensor

    torch.set_num_threads(1)
    q = LazyTensor(torch.from_numpy(Q)[:, None, :].contiguous())
    x = LazyTensor(torch.from_numpy(X)[None, :, :].contiguous())
    hot = torch.eye(int(y.max()) + 1)[torch.from_numpy(y)].contiguous()

    def run() -> object:
        return (((q - x) ** 2).sum(-1) ** -1.5) @ hot

    return run


def argkmin(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    return lambda: ArgKmin.compute(Q, X, 10, metric="euclidean")


def sklearn_chunked(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    from sklearn.metrics import pairwise_distances_chunked

    hot = np.eye(y.max() + 1, dtype=np.float32)[y]

    def run() -> np.ndarray:
        def reduce(tile: np.ndarray, start: int) -> np.ndarray:
            return np.maximum(tile, 1e-15) ** np.float32(-3.0) @ hot

        return np.concatenate(
            list(pairwise_distances_chunked(Q, X, reduce_func=reduce, working_memory=16))
        )

    return run


def faiss_flat(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatL2(X.shape[1])
    index.add(X)
    return lambda: index.search(Q, 10)


def scipy_cdist(X: np.ndarray, y: np.ndarray, Q: np.ndarray) -> Run:
    from scipy.spatial.distance import cdist

    hot, size = np.eye(y.max() + 1)[y], 512

    def run() -> np.ndarray:
        sums = np.zeros((len(Q), hot.shape[1]))
        for s in range(0, len(X), size):
            u = cdist(Q, X[s : s + size], "sqeuclidean")
            sums += np.maximum(u, 1e-30) ** -1.5 @ hot[s : s + size]
        return sums

    return run


PEERS = [
    Peer("tiled sgemm", tiled_sgemm, False),
    Peer("sgemm, tiles of 256", partial(tiled_sgemm, size=256), False),
    Peer("torch eager", torch_eager, True),
    Peer("JAX scan", jax_scan, True),
    Peer("NumPy, augmented GEMM", numpy_gemm, True),
    Peer("KeOps", keops, True),
    Peer("scikit-learn ArgKmin, k=10", argkmin, False),
    Peer("scikit-learn chunked", sklearn_chunked, True),
    Peer("faiss flat, k=10", faiss_flat, False),
    Peer("SciPy cdist, float64", scipy_cdist, True),
]
