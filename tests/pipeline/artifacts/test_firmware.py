# SPDX-License-Identifier: Apache-2.0
"""What the firmware stage leaves."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.firmware import RESULT, Firmware, Verification, firmware_folder, firmware_modes
from tests.pipeline.artifact_examples import firmware

KEYS = [
    *("model", "target", "flash", "ram", "stack", "switch", "gates", "modes", "policy", "buffers", "layers", "steps"),
    *("choices", "notes", "left_out", "governor"),
]


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    folder = firmware_folder(tmp_path, "mps2-an386")
    firmware().save(folder)
    assert Firmware.load(folder) == firmware()
    document = json.loads((folder / RESULT).read_text())
    assert list(document) == KEYS
    assert list(document["flash"])[-1] == "runtime_code"
    counted = {"name": "88.88.88", "macs": 2_000_000, "instructions": 2_000_000, "verify": None}
    assert document["modes"][0] == {**counted, "cycles": 3_200_000, "cycles_source": "model"}
    del document["modes"][0]["cycles"], document["modes"][0]["cycles_source"]
    (folder / RESULT).write_text(json.dumps(document))
    assert Firmware.load(folder).modes[0].cycles is None, "a file from before there were cycles"
    firmware().save(folder)
    assert firmware_modes(tmp_path, "mps2-an386") == ("88.88.88", "80.80.80")


def test_the_stack_in_a_clause() -> None:
    stack = firmware().stack
    assert stack.text(512) == "proven 600 bytes (call graph), painted 512 bytes"
    assert replace(stack, proven=None).text(None) == "proven not known (call graph), painted not known"
    assert (stack.entry("dimmer_invoke"), stack.entry("dimmer_mode")) == (344, None)


def test_mismatches_are_those_of_all_modes_that_were_compared() -> None:
    assert firmware().mismatches == 0
    first, second = firmware().modes
    compared = replace(first, verify=Verification(6, 2, "host")), replace(second, verify=Verification(6, 3, "host"))
    assert replace(firmware(), modes=compared).mismatches == 5


def test_missing_and_damaged_files_have_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"firmware\.json is not there: build it first"):
        firmware_modes(tmp_path, "host")
    folder = firmware_folder(tmp_path, "host")
    firmware().save(folder)
    document = json.loads((folder / RESULT).read_text())
    del document["ram"]["lower_bound"]
    (folder / RESULT).write_text(json.dumps(document))
    with pytest.raises(DimmerError, match=r"\(ram\.lower_bound is missing\)"):
        Firmware.load(folder)
