# SPDX-License-Identifier: Apache-2.0
"""What the stand-in is told of modes that are one stream: the known answers, by their names. Of chains: test_chain."""

from __future__ import annotations

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.npu.emit import npu_tables
from dimmer.firmware_gen.npu.rehearsal import emit_rehearsal, streams_of
from tests.firmware_gen.npu.test_emit import CHAINS, ENDS
from tests.firmware_gen.runtime.test_ethos_u import two_streams


def test_whole_modes_take_the_known_answers() -> None:
    tables = npu_tables(two_streams(), CHAINS, (ENDS[0], ENDS[1]), PolicyConfig())
    text = emit_rehearsal(tables, CHAINS, two_streams(), [{0: bytes(20), 1: bytes(4)}] * 2)
    assert [streams_of(tables, mode) for mode in (0, 1)] == [[0], [1]]
    assert "{16u, 20u, dimmer_known_input}," in text
    assert "{64u, 4u, dimmer_known_outputs[1]}," in text
    assert "int8_t rehearsed_0" not in text
