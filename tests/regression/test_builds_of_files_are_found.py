# SPDX-License-Identifier: Apache-2.0
"""A firmware that was made with --name or --signature was found by none of the commands that come after it, and the
command that they advised made another.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline import firmware, flash, product, size, validate
from dimmer.pipeline.conversion.signatures import with_signature
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.stage import Stage
from tests.pipeline.conversion.test_signatures import two_signatures
from tests.targets.runners.test_image import elf


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with two signatures; builds lie beside it."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    path = tmp_path / "two nets.tflite"
    path.write_bytes(two_signatures())
    return path


@pytest.mark.parametrize("name", [None, "lamp"])
def test_what_is_advised_makes_what_was_missing(
    two: Path, name: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DimmerError, match=r"there is no .*firmware\.elf: type dimmer firmware") as missing:
        size.main("host", tflite=[two], name=name, signature="classify")
    dimmer, verb, *words = shlex.split(str(missing.value).rpartition(": type ")[2])
    assert (dimmer, verb) == ("dimmer", "firmware")
    monkeypatch.setattr("sys.argv", [verb, *words, "--samples", "0"])
    with pytest.raises(SystemExit) as ended:
        main_of(firmware.main)
    assert ended.value.code == 0
    size.main("host", tflite=[two], name=name, signature="classify")
    assert f"{name or 'two nets-classify'} on host, bytes" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "folder"), [(None, "two nets-classify"), ("lamp", "lamp")])
def test_boards_are_given_it(
    two: Path, name: str | None, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: Any = {"tflite": [two], "name": name, "signature": "classify"}
    words = shlex.join(["--tflite", str(two), *(["--name", name] if name else []), "--signature", "classify"])
    with pytest.raises(DimmerError) as refused:
        flash.main("pico", **given)
    assert str(refused.value).endswith(f": type dimmer firmware --target pico {words}")
    with pytest.raises(DimmerError) as refused:
        product.main("pico", **given)
    assert str(refused.value).endswith(f"has no generated C: type dimmer firmware --target pico {words}")

    def action(out: Path) -> None:
        elf(out / "firmware.elf", (0x10000000, b"lamp"))

    file = with_signature(two, "classify", two.parent / "build" / "given")
    Stage("firmware", two.parent / "build" / folder / "pico" / "firmware", action, given=[file]).run()
    flash.main("pico", **given, dry_run=True)
    assert capsys.readouterr().out.startswith("copy firmware.uf2, 4 bytes at 0x10000000")
    seen: list[object] = []

    def look(
        _port: str, _target: object, modes: Sequence[ModeSource], inputs: bytes, _p: object, image: bytes, *_: object
    ) -> tuple[()]:
        seen.extend((modes[0].name, len(modes[0].path.read_bytes()) > 0, len(inputs) > 0, image))
        return ()

    monkeypatch.setattr(validate, "validate", look)
    validate.main("/no/port", "pico", **given)
    assert seen == ["two nets-classify", True, True, b"lamp"]
