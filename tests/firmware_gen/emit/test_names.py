# SPDX-License-Identifier: Apache-2.0
"""Symbols of generated C: valid, different, and nobody else's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dimmer.firmware_gen.emit.names import mode_identifiers, names_of
from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from tests.firmware_gen.emit.nasty import NASTY

# Words of the runtime's own names: dimmer_t, dimmer_gates.h, DIMMER_MODE_GATED, dimmer_conv2d_s8 and so on.
RUNTIME_WORDS = (
    "t",
    "model",
    "gates",
    "gated",
    "mode",
    "conv2d",
    "depthwise",
    "err",
    "Max",
    "INIT",
    "h",
    "tables",
    "magic",
)


def test_a_model_is_called_after_its_name() -> None:
    names = names_of("mnist5k-r14")
    assert (names.title, names.symbol, names.macro) == ("mnist5k-r14", "dimmer_mnist5k_r14", "DIMMER_MNIST5K_R14")
    assert (names.header, names.source) == ("dimmer_mnist5k_r14.h", "dimmer_mnist5k_r14.c")
    assert names.answers_header == "dimmer_mnist5k_r14_known_answers.h"
    assert names.answers_source == "dimmer_mnist5k_r14_known_answers.c"
    assert names.table("weights") == "dimmer_mnist5k_r14_weights"


@pytest.mark.parametrize("title", [*NASTY, "2net", "int", "Größe", "../../etc/passwd", "a" * 300])
def test_any_name_gives_a_symbol(title: str) -> None:
    symbol = names_of(title).symbol
    assert re.fullmatch(r"dimmer_[a-z0-9]+(_[a-z0-9]+)*", symbol), symbol
    assert len(symbol) < 64


@pytest.mark.parametrize("pair", [("a" * 50 + "1", "a" * 50 + "2"), ("日本", "中国"), ("", "é")])
def test_names_that_are_cut_or_say_nothing_stay_apart(pair: tuple[str, str]) -> None:
    assert names_of(pair[0]).symbol != names_of(pair[1]).symbol


@pytest.mark.parametrize("word", RUNTIME_WORDS)
def test_no_symbol_is_the_runtime_s(word: str) -> None:
    text = "\n".join(path.read_text() for path in sorted(RUNTIME.rglob("*.h")))
    symbol = names_of(word).symbol
    assert symbol == f"dimmer_{word.lower()}_net"
    assert not re.search(rf"\b{symbol}(_|\b)", text, re.IGNORECASE)
    assert not list(INCLUDE.glob(f"{symbol}*"))


@given(st.text(max_size=60))
def test_no_name_at_all_gives_a_kernel_s(title: str) -> None:
    names = names_of(title)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", names.symbol)
    assert not any(kernel.name == names.symbol or kernel.name.startswith(f"{names.symbol}_") for kernel in KERNELS)


def test_modes_are_called_after_their_names() -> None:
    assert mode_identifiers(["88.88.88", "80.80.80"]) == ("MODE_88_88_88", "MODE_80_80_80")
    assert mode_identifiers(["88"], "DIMMER_X_") == ("DIMMER_X_MODE_88",)


@pytest.mark.parametrize(
    "names",
    [
        ["x", "x_id2", "X"],
        ["X", "x", "x_id1"],
        ["x", "X", "x_id1_id1", "x_id1"],
        ["88.88", "88-88", "88.84"],
        ["", "ü", "0", "1"],
        ["count", "COUNT", "count_id0"],
        ["a" * 60 + "1", "a" * 60 + "2"],
    ],
)
def test_no_two_modes_are_one(names: list[str]) -> None:
    found = mode_identifiers(names)
    assert len(set(found)) == len(names)
    assert "MODE_COUNT" not in found
    assert all(re.fullmatch(r"MODE_[A-Z0-9_]+", name) for name in found)


@given(st.lists(st.text("xX_id012-", max_size=8), max_size=8))
def test_whatever_modes_are_called_they_stay_apart(names: list[str]) -> None:
    found = mode_identifiers(names)
    assert len(set(found)) == len(names)
    assert "MODE_COUNT" not in found
