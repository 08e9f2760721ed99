# SPDX-License-Identifier: Apache-2.0
"""dimmer slot: who signs is said, numbers are numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.generate import generate
from dimmer.pipeline import slot
from dimmer.pipeline.artifacts.mcuboot import read
from dimmer.pipeline.bundles.slots.make import SlotOrder
from dimmer.pipeline.slot import number
from tests.examples.test_examples import write_build
from tests.firmware_gen.modes import write_modes

WORDS = {"target": "netduinoplus2", "address": "0x08040000", "size": "0x8000", "release": "1.2.3", "counter": 7}


def test_numbers() -> None:
    assert number("0x08040000", "--address") == 0x0804_0000
    for text in ("", "x", "-1", "0x1_0000_0000"):
        with pytest.raises(DimmerError, match="--address is"):
            number(text, "--address")


@pytest.mark.parametrize("more", [{}, {"unsigned": True, "key": Path("k")}, {"unsigned": True, "development": True}])
def test_who_signs_is_said(more: dict[str, object]) -> None:
    with pytest.raises(DimmerError, match="say who signs"):
        slot.main(**WORDS, **more)  # type: ignore[arg-type]


def test_no_header_of_a_key_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="--unsigned has none"):
        slot.main(**WORDS, unsigned=True, keys=tmp_path / "keys.h")  # type: ignore[arg-type]
    assert not (tmp_path / "keys.h").exists()


@pytest.mark.slow
@pytest.mark.board("netduinoplus2")
def test_an_image_of_a_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(tmp_path / "build", "tiny", "netduinoplus2", False, None)
    out = tmp_path / "model.img"
    generated = tmp_path / "build" / "tiny" / "netduinoplus2"
    slot.main(**WORDS, unsigned=True, generated=generated, out=out)  # type: ignore[arg-type]
    opened = read(out.read_bytes())
    assert (opened.image.address, opened.image.counter, str(opened.image.version)) == (0x0804_0000, 7, "1.2.3+0")
    assert opened.image.name == "tiny"
    assert "nobody signed it" in capsys.readouterr().out


def test_generated_c_names_the_model_and_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the recipe, of which it is none."""
    orders: list[SlotOrder] = []

    def make(order: SlotOrder, *_: object) -> bytes:
        orders.append(order)
        return b"image"

    monkeypatch.setattr(slot, "make_image", make)
    generated = tmp_path / "some" / "c"
    generate(write_modes(tmp_path), generated, name="a lamp")
    slot.main(**WORDS, unsigned=True, generated=generated)  # type: ignore[arg-type]
    assert [(order.name, order.generated) for order in orders] == [("a lamp", generated)]
    assert (tmp_path / "some" / "a lamp-1.2.3-0x08040000.img").read_bytes() == b"image"


def test_a_build_is_named_as_its_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    monkeypatch.setattr(slot, "make_image", lambda order, *_: order.name.encode())
    slot.main(**WORDS, unsigned=True)  # type: ignore[arg-type]
    made = tmp_path / "mnist5k-r14" / "netduinoplus2" / "mnist5k-r14-1.2.3-0x08040000.img"
    assert made.read_bytes() == b"mnist5k-r14"
