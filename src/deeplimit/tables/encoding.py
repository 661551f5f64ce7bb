"""A raw table as points in space: what a distance needs from numbers, categories and gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from deeplimit.tables.checks import column_names
from deeplimit.tables.coding import TableCoder
from deeplimit.tables.summaries import rank_levels, summarise, weighted_rows

__all__ = ["TableEncoder"]

Floats: TypeAlias = NDArray[np.float64]

# Cells looked at at a time, so that a wide table is not held several times over.
_BLOCK = 2**22


class TableEncoder(TransformerMixin, BaseEstimator):
    """Turn a raw table into float64 columns between which Euclidean distance means something.

    - A *numeric* column is centred by its mean and divided by its standard deviation (n in the
      denominator), both over the cells that are there. A *date* is a number of days since 1970
      and a *duration* a number of days, treated alike.
    - A *boolean* column stays 0 and 1.
    - A *categorical* column becomes one column a category, ``1/sqrt(2)`` or 0: two different
      categories are at unit distance. Beyond `max_categories` the rarest share one column. A
      category not seen by ``fit`` is 0 in all of them.
    - A *missing* cell of the first three takes the column's median, of a categorical one the
      category ``(missing)``; a column that had any by ``fit`` is followed by an indicator, 0 or 1
      (``1/sqrt(2)`` for a categorical one).
    - A *constant* column is dropped, whatever it holds later: it tells no two rows apart, and a
      column of zeros would count in the dimension. Values within 8 units in the last place of
      each other are one value.

    Parameters
    ----------
    kinds : None, sequence of str, or mapping of str or int to str, default=None
        Kinds of the columns: "numeric", "categorical", "boolean", "date" or "duration". A
        sequence has one for every column, a mapping names (or numbers, from 0) those that are not
        to be inferred. Inferred: columns of dtype category and text are categorical, unless all
        of the text that is there reads as numbers, as ``true`` and ``false`` or as ISO 8601
        dates; anything else goes by its dtype.
    max_categories : int, default=32
        Largest number of columns made of a categorical one, the one for missing cells not
        counted. At least 2. Of equally rare categories the first by the alphabet are kept.

    Attributes
    ----------
    kinds_ : tuple of str
        Kind of each column.
    kept_ : ndarray of shape (n_features,), dtype bool
        False where the column was constant and gives no value.
    indicator_ : ndarray of shape (n_features,), dtype bool
        True where cells were missing and a column says so.
    centre_, scale_ : ndarray of shape (n_features,)
        Subtracted from and divided into the column's values times ``2**-exponent_``; 0 and 1 for
        booleans and for columns that are not numbers.
    exponent_ : ndarray of shape (n_features,), dtype int
        Power of 2 that bounds the column's values, so that 1e300 can be squared.
    fill_ : ndarray of shape (n_features,)
        The median, in the units of the output.
    categories_ : list of ndarray of str or None
        The categories with a column of their own, sorted; None for columns that are not
        categorical.
    rare_ : list of ndarray of str or None
        The categories that share the column ``(other)``.
    places_ : list of ndarray of int or None
        For each level of the coder its place among the columns made of its own, -1 for none.
    origin_ : ndarray of shape (n_features_out,), dtype int
        The raw column that each column of the output is made of.
    numeric_ : ndarray of shape (n_features_out,), dtype bool
        Which of them hold numbers, dates or durations: no booleans, categories and indicators.
    coder_ : TableCoder
        What turns raw tables into the coded rows that the rest was learnt from.
    n_features_in_ : int
        Number of columns of the raw table.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if all were strings.

    Raises
    ------
    ValueError
        By ``fit``: if every column is constant, a cell is infinite, a cell does not fit the kind
        its column was given, or a kind is unknown. By ``transform``: if a cell does not fit the
        kind of its column, or is too far from the rest for float64.
    TypeError
        If a cell is no scalar, such as a list.

    See Also
    --------
    read_table : Read a table from a file.
    TableCoder : The first half, without statistics of the data.

    Notes
    -----
    The same could be composed from scikit-learn's ``ColumnTransformer``, ``SimpleImputer``,
    ``StandardScaler`` and ``OneHotEncoder``. The facts learnt are kept here instead because they
    have to be written to a file without pickle and read by later versions: those classes have no
    stable description of their fitted state, and rebuilding it means setting their private
    attributes, which change from release to release. What is left is a few lines of NumPy. Two
    rules also differ from theirs: statistics are of the observed cells only, and whole numbers
    name the same category as integers and as floats.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.tables import TableEncoder
    >>> X = np.array([[1.0, "red"], [3.0, "blue"], [None, "red"]], dtype=object)
    >>> encoder = TableEncoder().fit(X)
    >>> encoder.get_feature_names_out().tolist()
    ['x0', 'x0=(missing)', 'x1=blue', 'x1=red']
    >>> encoder.transform(X).round(3)
    array([[-1.   ,  0.   ,  0.   ,  0.707],
           [ 1.   ,  0.   ,  0.707,  0.   ],
           [ 0.   ,  1.   ,  0.   ,  0.707]])
    """

    def __init__(
        self,
        kinds: Sequence[str] | Mapping[str | int, str] | None = None,
        *,
        max_categories: int = 32,
    ) -> None:
        self.kinds = kinds
        self.max_categories = max_categories

    def fit(self, X: Any, y: Any = None) -> TableEncoder:
        """Learn the kinds, scales, medians and categories of a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table: pandas, polars, Arrow or NumPy, of any dtype.
        y : None
            Not used.

        Returns
        -------
        TableEncoder
            The encoder itself.

        Raises
        ------
        ValueError
            See the class.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableEncoder
        >>> TableEncoder().fit([[1, 5], [2, 5]]).kept_
        array([ True, False])
        """
        self._check_max_categories()
        coder = TableCoder(self.kinds)
        return self._learn(coder._fit(X, self), coder, None)

    def fit_codes(
        self,
        codes: ArrayLike,
        coder: TableCoder,
        *,
        weight: ArrayLike | None = None,
        constant: str = "error",
    ) -> TableEncoder:
        """Learn scales, medians and categories from the coded rows of a table.

        Parameters
        ----------
        codes : array-like of shape (n_rows, n_columns)
            Rows coded by `coder`. A level that none of them has is like one never seen; code -1
            is a level without a column, and no missing cell.
        coder : TableCoder
            What coded them. It is kept, not copied, and says the kinds in place of `kinds`.
        weight : array-like of shape (n_rows,), optional
            Weights of the rows in means, deviations, medians and the counts of categories: a
            whole number counts like so many equal rows, 0 like an absent one.
        constant : {"error", "keep-none"}, default="error"
            What to do when every column is constant: refuse, or make no columns at all.

        Returns
        -------
        TableEncoder
            The encoder itself, as ``fit`` of the raw table would leave it.

        Raises
        ------
        ValueError
            If the codes are not of this coder, the weights are no weights, or every column is
            constant.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder, TableEncoder
        >>> coder = TableCoder()
        >>> codes = coder.fit_transform([[1.0, "red"], [3.0, "blue"], [9.0, "red"]])
        >>> encoder = TableEncoder().fit_codes(codes, coder, weight=[3, 1, 0])
        >>> float(encoder.centre_[0] * 2.0 ** encoder.exponent_[0])
        1.5
        >>> encoder.get_feature_names_out().tolist()
        ['x0', 'x1=blue', 'x1=red']
        """
        self._check_max_categories()
        check_is_fitted(coder)
        checked = coder._checked(codes)
        if not len(checked):
            raise ValueError("codes must have at least one row.")
        if constant not in ("error", "keep-none"):
            raise ValueError(f"constant must be 'error' or 'keep-none', got {constant!r}.")
        rows, weights = weighted_rows(checked, weight)
        return self._learn(rows, coder, weights, constant)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Turn a table with the columns of the fitted one into points.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The raw table.

        Returns
        -------
        ndarray of shape (n_rows, n_features_out), dtype float64
            The points, free of NaN and infinities.

        Raises
        ------
        ValueError
            If the columns differ from the fitted ones, or a cell does not fit its column.
        TypeError
            If a cell is no scalar.

        Examples
        --------
        >>> from deeplimit.tables import TableEncoder
        >>> TableEncoder().fit([[1], [3]]).transform([[2], [5]])
        array([[0.],
               [3.]])
        """
        check_is_fitted(self)
        table = self.coder_._table(X, self)
        wanted = np.zeros(len(self.kept_), dtype=bool)
        wanted[self.origin_] = True
        return self._points(self.coder_._codes(table, wanted), table.names)

    def transform_codes(self, codes: ArrayLike) -> Floats:
        """Turn coded rows into points.

        Parameters
        ----------
        codes : array-like of shape (n_rows, n_columns)
            Rows coded by the coder of ``fit_codes``, which may have been extended since.

        Returns
        -------
        ndarray of shape (n_rows, n_features_out), dtype float64
            The points, free of NaN and infinities.

        Raises
        ------
        ValueError
            If these can't be codes of the coder, or a number is too far from those learnt from.

        Examples
        --------
        >>> from deeplimit.tables import TableCoder, TableEncoder
        >>> coder = TableCoder()
        >>> codes = coder.fit_transform([[1.0, "red"], [3.0, "blue"]])
        >>> encoder = TableEncoder().fit_codes(codes, coder)
        >>> encoder.transform_codes(coder.extend([[2.0, "green"], [3.0, "red"]])).round(3)
        array([[0.   , 0.   , 0.   ],
               [1.   , 0.   , 0.707]])
        """
        check_is_fitted(self)
        return self._points(self.coder_._checked(codes, later=True), column_names(self))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the columns of the output.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the raw columns; by default those seen by ``fit``, or ``x0``, ``x1``, …

        Returns
        -------
        ndarray of shape (n_features_out,), dtype object
            The column's own name, ``name=(missing)``, ``name=category`` and ``name=(other)``.

        Raises
        ------
        ValueError
            If `input_features` are not the fitted names, or of another number.

        Examples
        --------
        >>> from deeplimit.tables import TableEncoder
        >>> encoder = TableEncoder().fit([["red"], ["blue"], [None]])
        >>> encoder.get_feature_names_out(["colour"]).tolist()
        ['colour=blue', 'colour=red', 'colour=(missing)']
        """
        check_is_fitted(self)
        names = self._names_in(input_features)
        out: list[str] = []
        for j, name in enumerate(names):
            categories = self.categories_[j]
            if categories is None:
                out += [name] if self.kept_[j] else []
            elif self.kept_[j]:
                out += [f"{name}={category}" for category in categories]
                rare = self.rare_[j]
                out += [f"{name}=(other)"] if rare is not None and len(rare) else []
            out += [f"{name}=(missing)"] if self.indicator_[j] else []
        return np.array(out, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _names_in(self, given: Any) -> list[str]:
        fitted = column_names(self)
        if given is None:
            return fitted
        names = [str(name) for name in given]
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"input_features should have length equal to the number of columns fitted, "
                f"{self.n_features_in_}, got {len(names)}."
            )
        if hasattr(self, "feature_names_in_") and names != fitted:
            raise ValueError("input_features is not equal to feature_names_in_")
        return names

    def _check_max_categories(self) -> None:
        m = self.max_categories
        if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 2:
            raise ValueError(f"max_categories must be a whole number of at least 2, got {m!r}.")

    def _learn(
        self, codes: Floats, coder: TableCoder, weight: Floats | None, constant: str = "error"
    ) -> TableEncoder:
        p = coder.n_features_in_
        self.coder_, self.kinds_, self.n_features_in_ = coder, coder.kinds_, p
        if hasattr(coder, "feature_names_in_"):
            self.feature_names_in_ = coder.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.kept_, self.indicator_ = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        self.centre_, self.scale_, self.fill_ = np.zeros(p), np.ones(p), np.zeros(p)
        self.exponent_ = np.zeros(p, dtype=np.int64)
        self.categories_: list[NDArray[Any] | None] = [None] * p
        self.rare_: list[NDArray[Any] | None] = [None] * p
        self.places_: list[NDArray[np.int64] | None] = [None] * p
        widths = np.zeros(p, dtype=np.intp)
        number = np.array([kind not in ("boolean", "categorical") for kind in self.kinds_])
        for at in _blocks(len(codes), self._values(np.ones(p, dtype=bool))):
            found = summarise(codes[:, at], weight)
            self.kept_[at], self.indicator_[at] = found.kept, found.indicator
            # A boolean keeps its 0 and 1, and so does the median.
            scaled = number[at] & found.kept
            self.exponent_[at] = np.where(scaled, found.exponent, 0)
            self.centre_[at] = np.where(scaled, found.centre, 0.0)
            self.scale_[at] = np.where(scaled, found.scale, 1.0)
            middle = np.ldexp(found.median, np.where(scaled, 0, found.exponent))
            self.fill_[at] = (middle - self.centre_[at]) / self.scale_[at]
        widths += self.kept_
        for j in self._categorical():
            # A forgotten level is that of no row.
            names = [level or "" for level in coder.levels_[j] or []]
            levels = rank_levels(codes[:, j], names, weight, self.max_categories)
            self.kept_[j], self.indicator_[j] = levels.kept, levels.indicator
            self.categories_[j], self.rare_[j] = levels.categories, levels.rare
            self.places_[j] = levels.places
            widths[j] = levels.kept * (len(levels.categories) + bool(len(levels.rare)))
        self.origin_ = np.repeat(np.arange(p), widths + self.indicator_)
        first = np.diff(self.origin_, prepend=-1) > 0
        self.numeric_ = number[self.origin_] & self.kept_[self.origin_] & first
        if constant == "error" and not len(self.origin_):
            why = "so that nothing tells its rows apart"
            if np.isnan(codes).all():
                why = "for there are no numbers in any column: all cells are missing"
            raise ValueError(
                f"Every column is constant in the table given, n_samples={len(codes)}, {why}."
            )
        return self

    def _points(self, codes: Floats, names: Sequence[str]) -> Floats:
        start = np.searchsorted(self.origin_, np.arange(len(self.kept_) + 1))
        out = np.zeros((len(codes), len(self.origin_)))
        for columns in _blocks(len(codes), self._values(self.kept_ | self.indicator_)):
            values = codes[:, columns]
            gone = np.isnan(values)
            kept = self.kept_[columns]
            at = columns[kept]
            with np.errstate(over="ignore"):
                scaled = np.ldexp(values[:, kept], -self.exponent_[at])
                scaled = (scaled - self.centre_[at]) / self.scale_[at]
            if np.isinf(scaled).any():
                row, k = np.argwhere(np.isinf(scaled))[0]
                raise ValueError(
                    f"Column {names[at[k]]!r}, row {row} (from 0): {values[row, kept][k]:g} "
                    "is too far from the values the encoder was fitted on for float64."
                )
            out[:, start[at]] = np.where(gone[:, kept], self.fill_[at], scaled)
            flagged = self.indicator_[columns]
            out[:, start[columns[flagged] + 1] - 1] = gone[:, flagged]
        for j in self._categorical():
            places = self.places_[j]
            if places is None or start[j + 1] == start[j]:
                continue
            n = len(places)
            # Behind the levels stand the place of a missing cell and, last, that of no level.
            gap = start[j + 1] - start[j] - 1 if self.indicator_[j] else -1
            code = np.where(codes[:, j] < n, codes[:, j], -1.0)
            code[np.isnan(codes[:, j])] = n
            place = np.concatenate([places, [gap, -1]])[code.astype(np.intp)]
            seen = np.flatnonzero(place >= 0)
            out[seen, start[j] + place[seen]] = np.sqrt(0.5)
        return out

    def _categorical(self) -> list[int]:
        return [j for j, kind in enumerate(self.kinds_) if kind == "categorical"]

    def _values(self, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the wanted columns that are not categorical."""
        return np.flatnonzero(wanted & [kind != "categorical" for kind in self.kinds_])


def _blocks(n_rows: int, columns: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    step = max(1, _BLOCK // max(n_rows, 1))
    for first in range(0, len(columns), step):
        yield columns[first : first + step]
