"""A raw table as points in space: what a distance needs from numbers, categories and gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from deeplimit.tables.columns import (
    KINDS,
    RawTable,
    as_frame,
    category_keys,
    floats,
    infer_kind,
)

__all__ = ["TableEncoder"]

# Cells converted at a time, so that a wide table is not held twice over.
_BLOCK = 2**22
# A spread of so many units in the last place is rounding, not a difference between rows.
_ROUNDING = 8 * np.finfo(np.float64).eps


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
        m = self.max_categories
        if isinstance(m, bool) or not isinstance(m, int | np.integer) or m < 2:
            raise ValueError(f"max_categories must be a whole number of at least 2, got {m!r}.")
        table, _ = self._table(X, reset=True)
        p = len(table.names)
        self.kinds_ = self._kinds(table)
        self.kept_, self.indicator_ = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        self.centre_, self.scale_, self.fill_ = np.zeros(p), np.ones(p), np.zeros(p)
        self.exponent_ = np.zeros(p, dtype=np.int64)
        self.categories_: list[NDArray[Any] | None] = [None] * p
        self.rare_: list[NDArray[Any] | None] = [None] * p
        for columns, values in self._blocks(table, np.ones(p, dtype=bool)):
            self._fit_values(table, columns, values)
        for j in self._categorical():
            self._fit_categories(j, category_keys(table.column(j)[0], table.names[j]))
        if not self._widths().any():
            n = len(table.data)
            raise ValueError(
                f"Every column is constant in the table given, n_samples={n}, so that nothing "
                "tells its rows apart."
            )
        return self

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
        table, n = self._table(X, reset=False)
        start = np.concatenate([[0], np.cumsum(self._widths())])
        out = np.zeros((n, int(start[-1])))
        for columns, values in self._blocks(table, self.kept_ | self.indicator_):
            gone = np.isnan(values)
            self._reject_infinite(table, columns, values)
            kept = self.kept_[columns]
            at = columns[kept]
            with np.errstate(over="ignore"):
                scaled = np.ldexp(values[:, kept], -self.exponent_[at])
                scaled = (scaled - self.centre_[at]) / self.scale_[at]
            if np.isinf(scaled).any():
                row, k = np.argwhere(np.isinf(scaled))[0]
                raise ValueError(
                    f"Column {table.names[at[k]]!r}, row {row} (from 0): {values[row, kept][k]:g} "
                    "is too far from the values the encoder was fitted on for float64."
                )
            out[:, start[at]] = np.where(gone[:, kept], self.fill_[at], scaled)
            flagged = self.indicator_[columns]
            out[:, start[columns[flagged] + 1] - 1] = gone[:, flagged]
        for j in self._categorical():
            if start[j + 1] > start[j]:
                codes = self._codes(j, category_keys(table.column(j)[0], table.names[j]))
                seen = np.flatnonzero(codes >= 0)
                out[seen, start[j] + codes[seen]] = np.sqrt(0.5)
        return out

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
        fitted = getattr(self, "feature_names_in_", None)
        if given is None:
            names = fitted if fitted is not None else [f"x{j}" for j in range(self.n_features_in_)]
            return [str(name) for name in names]
        names = [str(name) for name in given]
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"input_features should have length equal to the number of columns fitted, "
                f"{self.n_features_in_}, got {len(names)}."
            )
        if fitted is not None and names != list(fitted):
            raise ValueError("input_features is not equal to feature_names_in_")
        return names

    def _table(self, X: Any, *, reset: bool) -> tuple[RawTable, int]:
        """Check the shape and names of a table against the fitted ones (or record them)."""
        frame = as_frame(X)
        if frame is None:
            data = check_array(X, dtype=None, ensure_all_finite=False, estimator=self)
            if data.dtype.kind in "SU" and not hasattr(X, "dtype"):
                # One string in a nested list has made strings of its numbers and NaN.
                data = check_array(X, dtype=object, ensure_all_finite=False, estimator=self)
            validate_data(self, data, reset=reset, skip_check_array=True)
        else:
            data = frame
            validate_data(self, frame, reset=reset, skip_check_array=True)
            for axis, what in enumerate(("sample", "feature")):
                if frame.shape[axis] == 0:
                    raise ValueError(
                        f"Found table with 0 {what}(s) (shape={frame.shape}) while a minimum of 1 "
                        "is required by TableEncoder."
                    )
        if frame is None:
            names = tuple(self._names_in(None))
        else:
            names = tuple(str(name) for name in frame.columns)
        return RawTable(data, names), len(data)

    def _kinds(self, table: RawTable) -> tuple[str, ...]:
        given = self.kinds
        p = len(table.names)
        kinds: list[str | None] = [None] * p
        if isinstance(given, Mapping):
            for key, kind in given.items():
                if isinstance(key, str):
                    if key not in table.names:
                        raise ValueError(f"kinds names a column {key!r} the table does not have.")
                    key = table.names.index(key)
                if not isinstance(key, int | np.integer) or not 0 <= key < p:
                    raise ValueError(f"kinds numbers a column {key!r}, the table has {p} from 0.")
                kinds[key] = kind
        elif given is not None:
            kinds = list(given)
            if isinstance(given, str) or len(kinds) != p:
                raise ValueError(f"kinds must have one entry for each of the {p} columns.")
        unknown = [kind for kind in kinds if kind is not None and kind not in KINDS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no kind of column; those are {', '.join(KINDS)}.")
        if table.is_numeric and not any(kinds):
            boolean = table.data.dtype.kind == "b"
            return ("boolean" if boolean else "numeric",) * p
        return tuple(kind or _infer(table, j) for j, kind in enumerate(kinds))

    def _categorical(self) -> list[int]:
        return [j for j, kind in enumerate(self.kinds_) if kind == "categorical"]

    def _blocks(
        self, table: RawTable, wanted: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """Yield the wanted columns that are not categorical, some at a time, as float64."""
        is_value = np.array([kind != "categorical" for kind in self.kinds_])
        columns = np.flatnonzero(wanted & is_value)
        step = max(1, _BLOCK // len(table.data))
        for first in range(0, len(columns), step):
            some = columns[first : first + step]
            numbers = {self.kinds_[j] for j in some.tolist()} == {"numeric"}
            if table.is_numeric and (numbers or table.data.dtype.kind == "b"):
                yield some, table.data[:, some].astype(np.float64)
                continue
            cells = [
                floats(table.column(j)[0], self.kinds_[j], table.names[j]) for j in some.tolist()
            ]
            yield some, np.column_stack(cells)

    @staticmethod
    def _reject_infinite(
        table: RawTable, columns: NDArray[np.intp], values: NDArray[np.float64]
    ) -> None:
        infinite = np.isinf(values)
        if infinite.any():
            row, k = np.argwhere(infinite)[0]
            raise ValueError(
                f"Column {table.names[columns[k]]!r}, row {row} (from 0) is infinite; leave the "
                "cell empty (NaN) if its value is not known."
            )

    def _fit_values(
        self, table: RawTable, columns: NDArray[np.intp], values: NDArray[np.float64]
    ) -> None:
        self._reject_infinite(table, columns, values)
        gone = np.isnan(values)
        some = gone.any(axis=0)
        self.indicator_[columns] = some & ~gone.all(axis=0)
        exponent = np.frexp(np.abs(np.where(gone, 0.0, values)).max(axis=0))[1]
        scaled = np.ldexp(values, -exponent)
        low = np.where(gone, np.inf, scaled).min(axis=0)
        high = np.where(gone, -np.inf, scaled).max(axis=0)
        size = np.maximum(np.abs(low), np.abs(high))
        with np.errstate(invalid="ignore"):  # inf - inf where nothing is there: not kept
            kept = high - low > _ROUNDING * size
        self.kept_[columns] = kept
        at, scaled = columns[kept], scaled[:, kept]
        number = np.array([self.kinds_[j] != "boolean" for j in at], dtype=bool)
        self.exponent_[at] = np.where(number, exponent[kept], 0)
        # nanmean and its like are slower and no more exact where nothing is missing.
        holes = bool(some.any())
        mean, std, median = (
            (np.nanmean, np.nanstd, np.nanmedian) if holes else (np.mean, np.std, np.median)
        )
        if len(at):
            self.centre_[at] = np.where(number, mean(scaled, axis=0), 0.0)
            self.scale_[at] = np.where(number, std(scaled, axis=0), 1.0)
            middle = np.ldexp(median(scaled, axis=0), exponent[kept] - self.exponent_[at])
            self.fill_[at] = (middle - self.centre_[at]) / self.scale_[at]

    def _fit_categories(self, j: int, keys: list[str | None]) -> None:
        counts = Counter(key for key in keys if key is not None)
        common = sorted(counts, key=lambda key: (-counts[key], key))
        if len(common) > self.max_categories:
            common, rare = common[: self.max_categories - 1], common[self.max_categories - 1 :]
        else:
            rare = []
        self.categories_[j] = np.array(sorted(common), dtype=object)
        self.rare_[j] = np.array(sorted(rare), dtype=object)
        self.indicator_[j] = 0 < counts.total() < len(keys)
        # One category beside missing cells is kept, so that the two are at unit distance as well.
        self.kept_[j] = len(counts) > 1 or bool(self.indicator_[j])

    def _codes(self, j: int, keys: list[str | None]) -> NDArray[np.intp]:
        """Return the place of each key among the columns made of column `j`, -1 for none."""
        categories, rare = self.categories_[j], self.rare_[j]
        assert categories is not None and rare is not None
        place: dict[str | None, int] = {key: i for i, key in enumerate(categories.tolist())}
        place |= dict.fromkeys(rare.tolist(), len(categories))
        if self.indicator_[j]:
            place[None] = len(categories) + bool(len(rare))
        return np.fromiter((place.get(key, -1) for key in keys), np.intp, len(keys))

    def _widths(self) -> NDArray[np.intp]:
        widths = self.kept_.astype(np.intp)
        for j in self._categorical():
            categories, rare = self.categories_[j], self.rare_[j]
            if self.kept_[j] and categories is not None and rare is not None:
                widths[j] = len(categories) + bool(len(rare))
        return widths + self.indicator_


def _infer(table: RawTable, j: int) -> str:
    cells, declared = table.column(j)
    return "categorical" if declared else infer_kind(cells, table.names[j])
