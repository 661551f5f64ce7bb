"""The fully connected network of finite width in NTK parametrisation, and its empirical kernels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from deeplimit.activations import Activation
from deeplimit.networks.linearisation import Linearisation, pytorch, value_and_slope

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FiniteNetwork", "empirical_nngp", "empirical_ntk"]

FloatArray = NDArray[np.float64]
Precision = Literal["float64", "float32"]


def as_activation(spec: Any) -> Activation:
    """Return an activation as it is, and make one of anything else `Activation` accepts."""
    return spec if isinstance(spec, Activation) else Activation(spec)


class FiniteNetwork:
    r"""Fully connected network of finite width in NTK parametrisation, without biases.

    With :math:`a_0 = x` the layers are

    .. math:: z_l = W_l a_{l-1}, \qquad a_l = \varphi(z_l) / \sqrt{m\,E\varphi(z)^2},
              \qquad g(x) = W_{L+1} a_L,

    all weights independent standard normal, m the width and L the depth. For rows of unit norm
    the empirical kernels tend, as m grows, to the NNGP kernel :math:`\Sigma_L` and the neural
    tangent kernel :math:`\Theta_L` of the same depth (see `NetworkKernel`).

    Parameters
    ----------
    activation : Activation or str or callable
        The activation, or anything `Activation` accepts. The mean square of its derivative must
        be finite: a jump has no tangent kernel.
    depth : int
        Number of hidden layers L, at least 0. Zero is the linear network.
    width : int
        Number m of units in each hidden layer.
    n_features : int
        Number of inputs.
    n_outputs : int, default=1
        Number of outputs.
    random_state : int, RandomState instance or None, default=0
        Seed of the weights. They are drawn by NumPy in float64, so that the seed names the same
        network on each device and in each precision.
    centered : bool, default=True
        Subtract the output at the initial weights, so that the network begins as the zero
        function. The gradients are unchanged.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the weights and of training.
    device : str or None, default=None
        PyTorch device; None is the CPU.

    Attributes
    ----------
    weights : list of torch.Tensor
        Current weights, of shapes (m, n_features), (m, m), ..., (n_outputs, m).

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If a size is out of range, or the activation has a jump.

    References
    ----------
    A. Jacot, F. Gabriel, C. Hongler, "Neural Tangent Kernel: Convergence and Generalization in
    Neural Networks", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetwork
    >>> network = FiniteNetwork("relu", depth=2, width=64, n_features=2)
    >>> network(np.eye(2)).shape
    (2, 1)
    >>> bool(np.all(network(np.eye(2)) == 0))  # it begins as the zero function
    True
    """

    def __init__(
        self,
        activation: Any,
        depth: int,
        width: int,
        n_features: int,
        n_outputs: int = 1,
        *,
        random_state: int | np.random.RandomState | None = 0,
        centered: bool = True,
        dtype: Precision = "float64",
        device: str | None = None,
    ) -> None:
        for name, size, least in (
            ("depth", depth, 0),
            ("width", width, 1),
            ("n_features", n_features, 1),
            ("n_outputs", n_outputs, 1),
        ):
            if int(size) != size or size < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {size!r}")
        if dtype not in ("float64", "float32"):
            raise ValueError(f'dtype must be "float64" or "float32", got {dtype!r}')
        self.activation = (
            activation if isinstance(activation, Activation) else Activation(activation)
        )
        if not math.isfinite(self.activation.B1):
            raise ValueError(
                f"{self.activation.name} has no tangent kernel: the mean square of its derivative "
                "is infinite (a jump or a cusp). Choose a continuous activation."
            )
        self.depth, self.width = int(depth), int(width)
        self.n_features, self.n_outputs = int(n_features), int(n_outputs)
        self.centered, self.dtype, self.device = bool(centered), dtype, device
        sizes = [self.n_features, *[self.width] * self.depth, self.n_outputs]
        draw = check_random_state(random_state).standard_normal
        self.weights: list[Tensor] = [
            self._tensor(draw((after, before))) for before, after in itertools.pairwise(sizes)
        ]
        self._initial = [weight.clone() for weight in self.weights] if centered else None

    def __call__(self, X: ArrayLike) -> FloatArray:
        """Return the outputs at the rows of X.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows, of unit norm if the kernel limits are to hold.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            Outputs, less those at the initial weights if `centered`. They are computed in
            float64 whatever the precision of the weights.
        """
        rows = self.rows(X).double()
        outputs = self._forward(rows, [weight.double() for weight in self.weights])
        if self._initial is not None:
            outputs -= self._forward(rows, [weight.double() for weight in self._initial])
        return self._array(outputs)

    def __repr__(self) -> str:
        """Return the network's sizes and its activation."""
        return (
            f"FiniteNetwork({self.activation.name!r}, depth={self.depth}, width={self.width}, "
            f"n_features={self.n_features}, n_outputs={self.n_outputs})"
        )

    def rows(self, X: ArrayLike) -> Tensor:
        """Return the rows of X as a tensor of the network's precision and device.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows.

        Returns
        -------
        torch.Tensor of shape (n, n_features)
            A copy of X.

        Raises
        ------
        ValueError
            If X has another number of columns.
        """
        array = np.asarray(X, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_features:
            raise ValueError(
                f"X must have shape (n, {self.n_features}), got {array.shape}: "
                "pass one row for each point"
            )
        return self._tensor(array)

    def linearise(self, rows: Tensor, weights: Sequence[Tensor] | None = None) -> Linearisation:
        """Return outputs (not centred) and first derivative at some rows.

        Parameters
        ----------
        rows : torch.Tensor of shape (n, n_features)
            Rows, as given by `rows`.
        weights : sequence of torch.Tensor or None, default=None
            Weights to use; None takes the current ones.

        Returns
        -------
        Linearisation
            Its `outputs`, `pullback` and `pushforward` serve gradients and kernels.

        Raises
        ------
        ValueError
            If PyTorch cannot differentiate the activation.
        """
        weights = self.weights if weights is None else weights
        phi, scale = self._phi()
        inputs, slopes = [rows], []
        for weight in weights[:-1]:
            try:
                value, slope = value_and_slope(phi, inputs[-1] @ weight.T)
            except RuntimeError as error:
                raise ValueError(
                    f"PyTorch cannot differentiate {self.activation.name}: {error}"
                ) from error
            inputs.append(value * scale)
            slopes.append(slope * scale)
        return Linearisation(weights, inputs, slopes, inputs[-1] @ weights[-1].T)

    def features(self, rows: Tensor) -> Tensor:
        """Return the last hidden layer.

        Parameters
        ----------
        rows : torch.Tensor of shape (n, n_features)
            Rows, as given by `rows`.

        Returns
        -------
        torch.Tensor of shape (n, width)
            Its units' values, divided so that their squares sum to about 1 on the unit sphere.
        """
        return self._features(rows, self.weights)

    def _features(self, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
        phi, scale = self._phi()
        for weight in weights[:-1]:
            rows = phi(rows @ weight.T) * scale
        return rows

    def _forward(self, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
        return self._features(rows, weights) @ weights[-1].T

    def _phi(self) -> tuple[Callable[[Tensor], Tensor], float]:
        return self.activation.torch(), 1.0 / math.sqrt(self.width * self.activation.norm2)

    def _tensor(self, array: FloatArray) -> Tensor:
        torch = pytorch()
        tensor: Tensor = torch.tensor(
            array, dtype=getattr(torch, self.dtype), device=self.device or "cpu"
        )
        return tensor

    @staticmethod
    def _array(tensor: Tensor) -> FloatArray:
        return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)


def empirical_ntk(network: FiniteNetwork, X: ArrayLike, Z: ArrayLike | None = None) -> FloatArray:
    r"""Return the neural tangent kernel of a network at its present weights.

    It is the inner product of the gradients of the output in all weights, by layers

    .. math:: \hat\Theta(x, z) = \sum_{l=1}^{L+1} \langle a_{l-1}(x), a_{l-1}(z)\rangle\,
              \langle \delta_l(x), \delta_l(z)\rangle,

    with :math:`\delta_l` the derivative of the output in the pre-activations of layer l. It
    tends to :math:`\Theta_L` of the unit sphere as the width grows.

    Parameters
    ----------
    network : FiniteNetwork
        The network. With several outputs their kernels are averaged.
    X : array-like of shape (n, n_features)
        Rows.
    Z : array-like of shape (m, n_features) or None, default=None
        Other rows; None takes X.

    Returns
    -------
    ndarray of shape (n, m)
        The kernel. It is positive semidefinite if Z is None.

    Raises
    ------
    ValueError
        If X or Z has another number of columns than the network has inputs, or the activation
        has no finite derivative at some unit.

    References
    ----------
    A. Jacot, F. Gabriel, C. Hongler, "Neural Tangent Kernel: Convergence and Generalization in
    Neural Networks", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetwork, empirical_ntk
    >>> linear = FiniteNetwork("relu", depth=0, width=1, n_features=2)
    >>> empirical_ntk(linear, np.eye(2))
    array([[1., 0.],
           [0., 1.]])
    """
    left = network.linearise(network.rows(X))
    right = left if Z is None else network.linearise(network.rows(Z))
    grams = [a @ b.T for a, b in zip(left.inputs, right.inputs, strict=True)]
    total: Any = 0.0
    for output in range(network.n_outputs):
        deltas = _output_deltas(left, output)
        others = deltas if Z is None else _output_deltas(right, output)
        for gram, delta, other in zip(grams, deltas, others, strict=True):
            total = total + gram * (delta @ other.T)
    kernel = network._array(total / network.n_outputs)
    if not np.all(np.isfinite(kernel)):
        raise ValueError(
            f"the derivative of {network.activation.name} is not finite at some unit: "
            "rows of zeros reach a cusp, so leave them out"
        )
    return kernel


def _output_deltas(lin: Linearisation, output: int) -> list[Tensor]:
    cotangent = lin.outputs.new_zeros(lin.outputs.shape)
    cotangent[:, output] = 1.0
    return lin.backpropagate(cotangent)


def empirical_nngp(network: FiniteNetwork, X: ArrayLike, Z: ArrayLike | None = None) -> FloatArray:
    r"""Return the covariance of the network's output over draws of its last layer.

    It is the Gram matrix of the last hidden layer, :math:`\langle a_L(x), a_L(z)\rangle`, and
    tends to :math:`\Sigma_L` of the unit sphere as the width grows.

    Parameters
    ----------
    network : FiniteNetwork
        The network.
    X : array-like of shape (n, n_features)
        Rows.
    Z : array-like of shape (m, n_features) or None, default=None
        Other rows; None takes X.

    Returns
    -------
    ndarray of shape (n, m)
        The covariance.

    Raises
    ------
    ValueError
        If X or Z has another number of columns than the network has inputs.

    References
    ----------
    J. Lee et al., "Deep Neural Networks as Gaussian Processes", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.networks import FiniteNetwork, empirical_nngp
    >>> network = FiniteNetwork("erf", depth=1, width=4096, n_features=2)
    >>> empirical_nngp(network, [[1.0, 0.0], [0.6, 0.8]]).round(1)  # .564 in the limit
    array([[1. , 0.6],
           [0.6, 1. ]])
    """
    left = network.features(network.rows(X))
    right = left if Z is None else network.features(network.rows(Z))
    return network._array(left @ right.T)
