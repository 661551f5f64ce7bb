from __future__ import annotations

import os

import pytest

from deeplimit.engines import cards, eager
from deeplimit.engines.graphics import GraphicsEngine
from deeplimit.kernels.power import PowerKernel
from engines.adversary import case


@pytest.fixture
def card(monkeypatch):
    """Pretend that there is a card of some capability; nothing can be computed on it."""
    torch = eager.pytorch()

    def pretend(*capability):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        return cards.device_of(None)

    return pretend


def test_a_card_is_taken_where_there_is_one(card, monkeypatch):
    assert card(9, 0).type == "cuda"
    assert cards.device_of("cuda:1").index == 1
    assert cards.device_of("cpu").type == "cpu"
    monkeypatch.setattr(eager.pytorch().cuda, "is_available", lambda: False)
    assert cards.device_of(None).type == "cpu"


def test_without_triton_a_gpu_is_served_by_torch_and_a_warning(monkeypatch):
    monkeypatch.setattr(cards, "available", lambda module: False)
    with pytest.warns(UserWarning, match="triton is not installed"):
        backend = cards.backend_of(eager.pytorch().device("cuda"))
    assert backend is eager.chunk_terms


@pytest.mark.parametrize(("version", "served"), [("3.4.0", False), ("3.5.0+git1", True)])
def test_an_old_triton_is_not_used_and_a_warning_says_so(monkeypatch, recwarn, version, served):
    from deeplimit.engines import fused

    monkeypatch.setattr(fused.tiles.triton, "__version__", version)
    backend = cards.backend_of(eager.pytorch().device("cuda"))
    assert (backend is fused.chunk_terms) == served
    said = [str(warning.message) for warning in recwarn]
    assert ["older than 3.5" in text for text in said] == ([] if served else [True])


def test_shared_memory_is_that_of_the_card(monkeypatch):
    torch = eager.pytorch()

    class Properties:
        shared_memory_per_block_optin = 101376

    assert cards.shared_memory(torch.device("cpu")) == 232448
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Properties())
    assert cards.shared_memory(torch.device("cuda")) == 101376
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: object())
    assert cards.shared_memory(torch.device("cuda")) == 49152


def test_the_processor_is_served_by_torch(monkeypatch):
    monkeypatch.setitem(os.environ, "TRITON_INTERPRET", "0")
    assert cards.backend_of(eager.pytorch().device("cpu")) is eager.chunk_terms


def test_tensor_cores_that_were_not_measured_are_trusted_less(card):
    assert cards.step_error(eager.pytorch().device("cpu")) == 4.0
    assert cards.step_error(card(9, 0)) == 4.0
    assert cards.step_error(card(8, 6)) == 8.0


def test_cards_that_are_fast_in_float64_use_it_instead_of_differences(card, monkeypatch):
    def ladder(d):
        lift, X, y, w, _ = case(d)
        engine = GraphicsEngine(lift, X, y, w, 3, device="cpu")
        kernel = PowerKernel(3.0)
        character = engine._characterise(kernel)
        monkeypatch.setattr(engine, "device", card(*capability))
        return [(a.dtype, a.differences) for a, _ in engine._ladder(kernel, character)]

    products, differences = ("float32", False), ("float32", True)
    capability = (8, 9)
    assert ladder(20) == [products, differences, ("float64", False)]
    capability = (9, 0)
    assert ladder(20) == [products, ("float64", False)]
    # In few columns differences are what is fast.
    assert ladder(5) == [differences, ("float64", True)]
