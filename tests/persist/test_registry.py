from __future__ import annotations

import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from deeplimit.persist import register
from deeplimit.persist.registry import BUILT_IN, class_named, name_of
from deeplimit.tables import TableEncoder


@register
class RegistryToy:
    pass


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_name_of_the_table_is_a_class(name):
    cls = class_named(name)
    assert isinstance(cls, type)
    assert cls.__name__ == name
    assert name_of(cls) == name


def test_a_registered_class_is_found_by_its_name():
    assert class_named("RegistryToy") is RegistryToy
    assert name_of(RegistryToy) == "RegistryToy"
    assert register(RegistryToy) is RegistryToy


def test_neither_subclasses_nor_strangers_have_a_name():
    class Derived(RegistryToy):
        pass

    encoder = type("TableEncoder", (TableEncoder,), {})
    pipeline = type("Pipeline", (Pipeline,), {})
    for cls in (Derived, encoder, pipeline, StandardScaler, object):
        assert name_of(cls) is None


@pytest.mark.parametrize("name", ["StandardScaler", "os.system", "builtins:eval", "", None, []])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="is not a class model files may hold; registered are"):
        class_named(name)


def test_a_name_is_given_once():
    other = type("RegistryToy", (), {"__module__": "elsewhere"})
    with pytest.raises(ValueError, match="already registered as 'RegistryToy'"):
        register(other)
    with pytest.raises(ValueError, match="already registered as 'Pipeline'"):
        register(type("Pipeline", (), {}))
    with pytest.raises(TypeError, match="takes a class"):
        register("RegistryToy")  # type: ignore[type-var]
