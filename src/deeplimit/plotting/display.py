"""What all displays share: the axes or the figure to draw on, and tables of what was drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deeplimit._extras import require
from deeplimit.activations import Activation
from deeplimit.kernels.limit import LimitKernel
from deeplimit.plotting.style import SIZES, canvas, pyplot
from deeplimit.regimes import Taxonomy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curves", "Display", "decided"]

#: Abscissae and ordinates by the name of the curve.
Curves = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


class Display:
    """Base of the displays: it draws with the sizes of this package, in the style in force.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        What was drawn on.
    """

    #: What the picture shows, as the subject of a sentence.
    _purpose: ClassVar[str]
    #: Inches of a new figure.
    _size: tuple[float, float] = (5.6, 4.4)

    figure_: Figure
    ax_: Axes
    axes_: dict[str, Axes]

    def _on_axes(self, ax: Axes | None, draw: Callable[[Axes], None]) -> Self:
        """Draw on one axes, the user's own or new ones, and keep them."""
        plt = pyplot(self._purpose)
        with plt.rc_context(dict(SIZES)):
            if ax is None:
                ax = canvas(None, self._size, self._purpose).subplots()
            figure = ax.get_figure(root=True)
            assert figure is not None
            self.ax_, self.figure_ = ax, figure
            draw(ax)
        return self

    def _on_figure(
        self, fig: Figure | None, panels: Sequence[Sequence[str]], draw: Callable[[], None],
        **layout: Any,
    ) -> Self:  # fmt: skip
        """Draw on a figure with panels of these names, the user's own or a new one."""
        plt = pyplot(self._purpose)
        with plt.rc_context(dict(SIZES)):
            figure = canvas(fig, self._size, self._purpose)
            self.axes_ = figure.subplot_mosaic([list(row) for row in panels], **layout)
            self.figure_ = figure
            draw()
        return self

    def _table(self, columns: Mapping[str, Any]) -> Any:
        """Give columns as a data frame."""
        pd = require("pandas", extra="tables", purpose="a table of a picture's numbers")
        return pd.DataFrame(dict(columns))

    def _table_of_rows(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
        """Give rows as a data frame."""
        return self._table({name: [row[k] for row in rows] for k, name in enumerate(names)})

    def _table_of_curves(self, panels: Mapping[str, Curves]) -> Any:
        """Give curves as a data frame with the columns panel, curve, x and y."""
        parts = [
            (panel, name, *at)
            for panel, curves in panels.items()
            for name, (x, y) in curves.items()
            for at in zip(np.asarray(x).tolist(), np.asarray(y).tolist(), strict=True)
        ]
        return self._table_of_rows(("panel", "curve", "x", "y"), parts)


def decided(activation: Any) -> Taxonomy:
    """Classify an activation, and refuse one without a regime.

    Parameters
    ----------
    activation : str, callable or Activation
        Anything `Activation` takes.

    Returns
    -------
    Taxonomy

    Raises
    ------
    ValueError
        If the regime is undecided.
    """
    return LimitKernel(Activation(activation), tabulate=False).taxonomy
