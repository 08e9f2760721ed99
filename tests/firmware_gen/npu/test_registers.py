# SPDX-License-Identifier: Apache-2.0
"""The codes of the command stream, against those that come with Vela."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.npu.registers import CODES, LONG, OPERATIONS, SHORT


def test_no_name_stands_twice() -> None:
    assert len(CODES) == len(LONG) + len(OPERATIONS) + len(SHORT)


def test_they_are_those_of_vela() -> None:
    regs = pytest.importorskip("ethosu.vela.ethos_u55_regs.ethos_u55_regs", reason="needs pip install 'dimmer-nn[npu]'")
    theirs = {
        code.name.removeprefix("NPU_SET_").removeprefix("NPU_OP_"): code.value for code in (*regs.cmd0, *regs.cmd1)
    }
    assert theirs == dict(CODES)
