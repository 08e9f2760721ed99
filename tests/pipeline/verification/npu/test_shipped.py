# SPDX-License-Identifier: Apache-2.0
"""Streams read out of a linked program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.verification.npu.shipped import shipped_modes
from tests.firmware_gen.runtime.test_ethos_u import model_of, two_streams


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Its tables alone, which is all that is read."""
    model = model_of(tmp_path)
    made = tmp_path / "firmware.elf"
    command = ["gcc", "-shared", "-fPIC", f"-I{tmp_path}", f"-I{INCLUDE}", *map(str, model.sources), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


def test_what_was_generated_is_read(linked: Path) -> None:
    relinked = two_streams()
    found = [mode for (mode,) in shipped_modes(linked, "model", [(mode,) for mode in relinked.modes])]
    assert [(mode.name, mode.payload, mode.constants) for mode in found] == [
        (mode.name, mode.payload, mode.constants) for mode in relinked.modes
    ]
    assert [(mode.inputs, mode.outputs) for mode in found] == [(mode.inputs, mode.outputs) for mode in relinked.modes]


def test_what_is_not_there_is_one_line(linked: Path, tmp_path: Path) -> None:
    modes = [(mode,) for mode in two_streams().modes]
    with pytest.raises(DimmerError, match="has no dimmer_lamp_weights"):
        shipped_modes(linked, "lamp", modes)
    with pytest.raises(DimmerError, match="2 modes, 1 were compiled"):
        shipped_modes(linked, "model", modes[:1])
    with pytest.raises(DimmerError, match="mode 0 has 1 command streams, not 2"):
        shipped_modes(linked, "model", [modes[0] + modes[1], modes[1]])
    (tmp_path / "no.elf").write_bytes(b"lamp")
    with pytest.raises(DimmerError, match="cannot be read"):
        shipped_modes(tmp_path / "no.elf", "model", modes)
