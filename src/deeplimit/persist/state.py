"""The state of an estimator: its parameters and fitted attributes without any code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deeplimit.persist.codec import JSON, Array, Decoder, Encoder
from deeplimit.persist.registry import class_named, name_of

__all__ = ["State", "from_state", "to_state"]


@dataclass(frozen=True)
class State:
    """What an estimator is, as JSON, arrays and the states of the estimators inside it.

    Parameters
    ----------
    class_name : str
        Name the class is registered under.
    meta : dict of str to JSON
        Parameters, scalars, strings and lists: anything JSON holds, NaN and infinities excepted.
    arrays : dict of str to ndarray
        Arrays of booleans, integers and floats.
    children : dict of str to State
        The states of registered objects held inside.

    See Also
    --------
    to_state : The state of an estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from deeplimit.persist import State
    >>> state = State("Centre", {"version": 1}, {"mean": np.zeros(3)})
    >>> state.children
    {}
    """

    class_name: str
    meta: dict[str, JSON]
    arrays: dict[str, Array] = field(default_factory=dict)
    children: dict[str, State] = field(default_factory=dict)


def to_state(obj: Any) -> State:
    """Return the state of an estimator of a registered class.

    Parameters
    ----------
    obj : object
        The estimator. Its ``_to_state()`` is used where there is one; otherwise the state holds
        ``get_params(deep=False)`` and every other attribute not named in ``_transient``.

    Returns
    -------
    State
        The state. Its arrays are the estimator's own, not copies.

    Raises
    ------
    TypeError
        If the class is not registered, or an attribute is something a file without code can't
        hold, such as a function.

    See Also
    --------
    from_state : The inverse.
    register : Allow a class.

    Examples
    --------
    >>> from deeplimit.persist import to_state
    >>> from deeplimit.tables import TableEncoder
    >>> to_state(TableEncoder(max_categories=8)).meta["params"]
    {'kinds': None, 'max_categories': 8}
    """
    state = _state_of(obj)
    if state is None:
        raise TypeError(
            f"{type(obj).__name__} is not a class model files may hold; register it with "
            "deeplimit.persist.register, or save one of deeplimit's estimators."
        )
    return state


def from_state(state: State) -> Any:
    """Build the estimator a state describes.

    Parameters
    ----------
    state : State
        What `to_state` returned.

    Returns
    -------
    object
        An estimator of the class the state names, equal in every attribute.

    Raises
    ------
    ValueError
        If the class is not registered, or the state is not one its class can have.

    See Also
    --------
    to_state : The inverse.

    Examples
    --------
    >>> from deeplimit.persist import from_state, to_state
    >>> from deeplimit.tables import TableEncoder
    >>> from_state(to_state(TableEncoder(max_categories=8)))
    TableEncoder(max_categories=8)
    """
    cls: Any = class_named(state.class_name)
    if hasattr(cls, "_from_state"):
        return cls._from_state(state)
    children = {name: from_state(child) for name, child in state.children.items()}
    decoder = Decoder(state.arrays, children.__getitem__)
    params, fitted = (_attributes(decoder.decode(state.meta[part])) for part in ("params", "attrs"))
    obj = cls(**params)
    for name, value in fitted.items():
        setattr(obj, name, value)
    return obj


def _state_of(obj: Any) -> State | None:
    class_name = name_of(type(obj))
    if class_name is None:
        return None
    if hasattr(obj, "_to_state"):
        state: State = obj._to_state()
        return state

    children: dict[str, State] = {}

    def child(value: Any, name: str) -> bool:
        state = _state_of(value)
        if state is not None:
            children[name] = state
        return state is not None

    params = obj.get_params(deep=False) if hasattr(obj, "get_params") else {}
    left_out = {*params, *getattr(obj, "_transient", ())}
    attrs = {name: value for name, value in vars(obj).items() if name not in left_out}
    encoder = Encoder(class_name, child)
    meta: dict[str, JSON] = {
        part: {name: encoder.encode(value, name) for name, value in values.items()}
        for part, values in (("params", params), ("attrs", attrs))
    }
    return State(class_name, meta, encoder.arrays, children)


def _attributes(values: Any) -> Mapping[str, Any]:
    # `__class__` and its like would change what the object is; nothing else can.
    if not isinstance(values, dict) or not all(
        name.isidentifier() and not name.startswith("__") for name in values
    ):
        raise ValueError("its attributes don't have names an attribute can have")
    return values
