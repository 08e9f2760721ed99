# SPDX-License-Identifier: Apache-2.0
"""What is told of calls through pointers stands in the C files."""

from __future__ import annotations

import re

import pytest

from dimmer.firmware_gen.kernels.pointers import HOOK, MODEL_KERNELS, POINTERS, PointerCalls
from dimmer.firmware_gen.library import RUNTIME, sources

FILES = {path.name: path.read_text() for path in sources()}
TEXT = "\n".join([*FILES.values(), *(path.read_text() for path in RUNTIME.rglob("*.h"))])
CALL = re.compile(r"->(\w+)\(|\w\.(\w+)\(|\((\w+) \? (\w+) : (\w+)\)\(")


@pytest.mark.parametrize("line", POINTERS, ids=lambda line: f"{line.file}: {line.callers[0]}")
def test_callers_and_targets_exist(line: PointerCalls) -> None:
    for caller in line.callers:
        assert re.search(rf"\b{caller}\(", FILES[line.file]), caller
    for target in line.targets:
        assert target in (HOOK, MODEL_KERNELS) or re.search(rf"\b{target}\b[(,]", TEXT), target


def test_every_file_with_a_call_through_a_member_has_a_line() -> None:
    found = {name for name, text in FILES.items() if CALL.search(text)}
    # model->gates->calls->crc and the like; row->results is called by assembly in narrow_dsp.c.
    assert found <= {line.file for line in POINTERS}
    assert found >= {"report.c", "slot.c", "helium_layer_mve.c"}
