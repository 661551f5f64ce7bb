"""A raw table as coded rows: numbers and level numbers that depend on no other row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from deeplimit.persist.codec import Decoder, Encoder
from deeplimit.persist.state import State
from deeplimit.tables.checks import checked_table, kinds_of
from deeplimit.tables.columns import RawTable, cell_of, floats
from deeplimit.tables.guesses import guessed_kinds

__all__ = ["TableCoder"]

Floats: TypeAlias = NDArray[np.float64]

_SAVED = (
    "n_features_in_", "feature_names_in_", "kinds_", "guessed_", "levels_",
    "_sklearn_output_config",
)  # fmt: skip


class TableCoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Turn a raw table into float64 rows, one column each, without statistics of the data.

    What a row becomes depends on that row, and on the kinds and levels the coder knows; so a row
    can be added or forgotten and the others stay what they are. Means, medians and rare categories
    are learnt from the coded rows, by ``TableEncoder.fit_codes``.

    - A *numeric* cell is its number, a *boolean* one 0 or 1, a *date* the days since 1970 (UTC),
      a *duration* days.
    - A *categorical* cell is the number of its level, in the order in which levels appeared, or
      -1 if neither ``fit`` nor ``extend`` has seen it.
    - A *missing* cell is NaN.

    Parameters
    ----------
    kinds : None, sequence of str, or mapping of str or int to str, default=None
        Kinds of the columns, as `TableEncoder` takes them. What is not given is inferred by
        ``fit`` and stays.

    Attributes
    ----------
    kinds_ : tuple of str
        Kind of each column.
    guessed_ : tuple of bool
        Whether some of the cells, without the others, could be taken for another kind.
    levels_ : list of list of str or None
        Names of the levels of each categorical column, by their number, None for one forgotten;
        None for other columns.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if all were strings.

    Raises
    ------
    ValueError
        By its methods: if a cell is infinite or does not fit the kind of its column, or a kind is
        unknown.
    TypeError
        If a cell is no scalar, such as a list.

    See Also
    --------
    TableEncoder : Turn coded rows into points.

    Notes
    -----
    A two-dimensional array of numbers is numeric as a whole, and one of float64 is handed on as
    it is, not copied. A nested list becomes an array first; where a column is categorical, one
    that keeps every cell as it was written.

    A number never changes meaning. Where the rows that had a level are forgotten, `forget_levels`
    forgets its name as well; if it comes again it has another number.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.tables import TableCoder
    >>> X = np.array([[1.0, "red"], [None, "blue"], [3.0, "red"]], dtype=object)
    >>> coder = TableCoder().fit(X)
    >>> coder.kinds_, coder.levels_
    (('numeric', 'categorical'), [None, ['red', 'blue']])
    >>> coder.transform(X)
    array([[ 1.,  0.],
           [nan,  1.],
           [ 3.,  0.]])
    >>> coder.transform([[2.0, "green"]]), coder.extend([[2.0, "green"]])
    (array([[ 2., -1.]]), array([[2., 2.]]))
    """

    def __init__(self, kinds: Sequence[str] | Mapping[str | int, str] | None = None) -> None:
        self.kinds = kinds

    def fit(self, X: Any, y: Any = None) -> TableCoder:
        """Learn the kinds and levels of a table, and forget those known before.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table: pandas, polars, Arrow or NumPy, of any dtype.
        y : None
            Not used.

        Returns
        -------
        TableCoder
            The coder itself.

        Raises
        ------
        ValueError
            See the class.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> TableCoder().fit([["2020-01-01", "b"], ["2020-01-02", "a"]]).levels_
        [None, ['b', 'a']]
        """
        self._fit(X, self)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Floats:
        """Learn the kinds and levels of a table and return its codes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table.
        y : None
            Not used.

        Returns
        -------
        ndarray of shape (n_rows, n_columns), dtype float64
            What ``fit(X).transform(X)`` returns, read once.

        Raises
        ------
        ValueError
            See the class.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> TableCoder().fit_transform([["true", "a"], ["false", "b"]])
        array([[1., 0.],
               [0., 1.]])
        """
        return self._fit(X, self)

    def transform(self, X: Any) -> Floats:
        """Return the codes of a table with the columns of the fitted one.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table.

        Returns
        -------
        ndarray of shape (n_rows, n_columns), dtype float64
            The codes; `X` itself where it is an array of float64 and every column is numeric.

        Raises
        ------
        ValueError
            If the columns differ from the fitted ones, or a cell does not fit its column.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> TableCoder().fit([["a"], ["b"]]).transform([["b"], ["c"]])
        array([[ 1.],
               [-1.]])
        """
        check_is_fitted(self)
        return self._codes(self._table(X, self))

    def extend(self, X: Any) -> Floats:
        """Return the codes of a table, giving numbers to levels not seen so far.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table.

        Returns
        -------
        ndarray of shape (n_rows, n_columns), dtype float64
            The codes, none of them -1. The numbers given before stay as they are.

        Raises
        ------
        ValueError
            If the columns differ from the fitted ones, or a cell does not fit its column. No
            level is added then.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> coder = TableCoder().fit([["a"], ["b"]])
        >>> coder.extend([["b"], ["c"]]).tolist(), coder.levels_
        ([[1.0], [2.0]], [['a', 'b', 'c']])
        """
        check_is_fitted(self)
        return self._codes(self._table(X, self), grow=True)

    @property
    def has_levels(self) -> bool:
        """Whether any column is categorical."""
        return any(levels is not None for levels in self.levels_)

    def forget_levels(self, codes: ArrayLike) -> TableCoder:
        """Forget the names of levels that none of some rows has.

        Parameters
        ----------
        codes : array-like of shape (n_rows, n_columns)
            Codes of all rows there are.

        Returns
        -------
        TableCoder
            The coder itself.

        Raises
        ------
        ValueError
            If these are no codes of this coder.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> coder = TableCoder().fit([["a"], ["b"]])
        >>> coder.forget_levels([[1.0]]).levels_
        [[None, 'b']]
        >>> coder.extend([["a"]]).tolist()
        [[2.0]]
        """
        check_is_fitted(self)
        checked = self._checked(codes)
        for j, levels in enumerate(self.levels_):
            if levels is not None:
                column = checked[:, j]
                there = np.zeros(len(levels) + 1, dtype=bool)
                there[column[~np.isnan(column)].astype(np.int64)] = True  # -1 is the last
                self.levels_[j] = [
                    level if kept else None
                    for level, kept in zip(levels, there.tolist(), strict=False)
                ]
        self._index_levels()
        return self

    def decode(self, codes: ArrayLike) -> NDArray[Any]:
        """Return coded rows as cells that can be read.

        Parameters
        ----------
        codes : array-like of shape (n_rows, n_columns)
            Codes of this coder.

        Returns
        -------
        ndarray of shape (n_rows, n_columns), dtype object
            Numbers, True and False, names of levels, dates as ISO 8601 text in UTC, durations as
            text; None where a cell was missing, ``(unseen)`` for code -1.

        Raises
        ------
        ValueError
            If these are no codes of this coder.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder
        >>> coder = TableCoder().fit([["2020-01-01", "b"], [None, "a"]])
        >>> coder.decode([[18262.0, 1.0], [18262.75, -1.0], [float("nan"), 0.0]]).tolist()
        [['2020-01-01', 'a'], ['2020-01-01T18:00:00', '(unseen)'], [None, 'b']]
        """
        check_is_fitted(self)
        checked = self._checked(codes)
        out = np.empty(checked.shape, dtype=object)
        for j, (kind, levels) in enumerate(zip(self.kinds_, self.levels_, strict=True)):
            column = checked[:, j].tolist()
            if levels is None:
                out[:, j] = [cell_of(value, kind) for value in column]
            else:
                # Index -1 is that of the last.
                named = [*("(forgotten)" if level is None else level for level in levels)]
                named.append("(unseen)")
                out[:, j] = [None if code != code else named[int(code)] for code in column]
        return out

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _fit(self, X: Any, asker: BaseEstimator) -> Floats:
        """Fit, and return the codes; `asker` is named in errors, and what learns the columns."""
        given = self.kinds.values() if isinstance(self.kinds, Mapping) else self.kinds
        keeps_cells = given is not None and "categorical" in given
        table = checked_table(X, asker, reset=True, as_objects=keeps_cells)
        self.n_features_in_ = len(table.names)
        if hasattr(asker, "feature_names_in_"):
            self.feature_names_in_ = asker.feature_names_in_
        self.kinds_ = kinds_of(table, self.kinds)
        self.guessed_ = guessed_kinds(table, self.kinds_)
        self.levels_: list[list[str | None] | None] = [
            [] if kind == "categorical" else None for kind in self.kinds_
        ]
        self._index_levels()
        return self._codes(table, grow=True)

    def _index_levels(self) -> None:
        self._numbers: dict[int, dict[str, int]] = {
            j: {level: k for k, level in enumerate(levels) if level is not None}
            for j, levels in enumerate(self.levels_)
            if levels is not None
        }

    def _table(self, X: Any, asker: BaseEstimator) -> RawTable:
        return checked_table(X, asker, reset=False, as_objects=bool(self._numbers))

    def _codes(
        self, table: RawTable, wanted: NDArray[np.bool_] | None = None, *, grow: bool = False
    ) -> Floats:
        """Return the codes of a checked table; columns that are not wanted are not read."""
        shape = (len(table.data), len(table.names))
        wanted = np.ones(shape[1], dtype=bool) if wanted is None else wanted
        reads = np.flatnonzero(wanted).tolist()
        if table.is_numeric:
            out = np.asarray(table.data, dtype=np.float64)
            as_is = {"numeric", "boolean"} if table.data.dtype.kind == "b" else {"numeric"}
            others = set(self.kinds_) - as_is
            reads = [j for j in reads if self.kinds_[j] in others] if others else []
            out = out.copy() if reads else out
        else:
            out = np.full(shape, np.nan)
            if not isinstance(table.data, np.ndarray):
                # Taken together: pandas takes as long to hand out a column as to hand out all.
                known_kind = np.array([kind == "numeric" for kind in self.kinds_])
                plain = table.numbers()
                plain = plain[(known_kind & wanted)[plain]]
                every = plain.size == shape[1]
                some = table.data if every else table.data.iloc[:, plain]
                out[:, plain] = some.to_numpy(dtype=np.float64)
                reads = np.setdiff1d(reads, plain).tolist()
        added: dict[int, dict[str, int]] = {}
        for j in reads:
            if j not in self._numbers:
                out[:, j] = floats(table.column(j)[0], self.kinds_[j], table.names[j])
                continue
            known, (codes, levels) = self._numbers[j], table.levels(j)
            unseen = [level for level in levels if level not in known] if grow else []
            start = len(self.levels_[j] or ())
            added[j] = {level: start + k for k, level in enumerate(unseen)}
            numbers = [known.get(level, added[j].get(level, -1)) for level in levels]
            out[:, j] = np.array([*numbers, np.nan])[codes]  # code -1, missing, is the last
        infinite = np.isinf(out)
        if infinite.any() and (infinite & wanted).any():
            row, j = np.argwhere(infinite & wanted)[0]
            raise ValueError(
                f"Column {table.names[j]!r}, row {row} (from 0) is infinite; leave the cell empty "
                "(NaN) if its value is not known."
            )
        for j, numbers_of in added.items():  # only now, when no column can fail any more
            self._numbers[j] |= numbers_of
            names = self.levels_[j]
            assert names is not None
            names += numbers_of
        return out

    def _checked(self, codes: ArrayLike, *, later: bool = False) -> Floats:
        """Check that these may be codes of the columns; `later` allows numbers given later."""
        out = np.asarray(codes, dtype=np.float64)
        p = self.n_features_in_
        if out.ndim != 2 or out.shape[1] != p:
            raise ValueError(f"codes must be rows of {p} columns, got shape {out.shape}.")
        if np.isinf(out).any():
            row, j = np.argwhere(np.isinf(out))[0]
            raise ValueError(f"codes must not be infinite, as in row {row}, column {j} (from 0).")
        for j in self._numbers:
            column = out[:, j]
            n_levels = len(self.levels_[j] or ())
            last = np.inf if later else n_levels - 1
            wrong = (column != np.floor(column)) | (column < -1) | (column > last)
            wrong &= ~np.isnan(column)
            if wrong.any():
                row = int(wrong.argmax())
                raise ValueError(
                    f"Column {j}, row {row} (from 0) of the codes is {column[row]:g}, which is "
                    f"the number of none of its {n_levels} levels."
                )
        return out

    def _to_state(self) -> State:
        encoder = Encoder("TableCoder", lambda value, name: False)
        fitted = {name: vars(self)[name] for name in _SAVED if name in vars(self)}
        if "levels_" in fitted:  # as arrays, because levels can be many and the header is limited
            fitted["levels_"] = [
                None if levels is None else np.array(levels, dtype=object)
                for levels in self.levels_
            ]
        parts = {"params": self.get_params(deep=False), "attrs": fitted}
        meta = {part: encoder.encode(values, part) for part, values in parts.items()}
        return State("TableCoder", meta, encoder.arrays)

    @classmethod
    def _from_state(cls, state: State) -> TableCoder:
        decoder = Decoder(state.arrays, lambda name: None)
        coder = cls(**decoder.decode(state.meta["params"]))
        fitted = decoder.decode(state.meta["attrs"])
        if "levels_" in fitted:
            fitted["levels_"] = [
                None if levels is None else levels.tolist() for levels in fitted["levels_"]
            ]
        for name in _SAVED:
            if name in fitted:
                setattr(coder, name, fitted[name])
        if "levels_" in fitted:
            coder._index_levels()
        return coder
