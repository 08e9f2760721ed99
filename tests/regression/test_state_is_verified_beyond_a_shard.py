# SPDX-License-Identifier: Apache-2.0
"""Models with state were said to be wrong from the 33rd input on: the firmware is given 32 at a time and begins anew
with each, while the interpreter went on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.image.protocol import VERIFY
from dimmer.pipeline.image.records import verify_modes
from dimmer.targets import load_target
from tests.firmware_gen.networks import tiny_recurrent, tiny_state
from tests.tiny import silent


@pytest.mark.slow
@pytest.mark.parametrize("network", [tiny_state, tiny_recurrent])
def test_more_inputs_than_a_shard(tmp_path: Path, network: object) -> None:
    assert callable(network)
    path, target = tmp_path / "state.tflite", load_target("host")
    path.write_bytes(network())
    order = foreign_order([path], VERIFY.shard + 8)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    (found,) = verify_modes(order, target, compiled, silent).values()
    assert (found.samples, found.mismatches) == (VERIFY.shard + 8, 0)
