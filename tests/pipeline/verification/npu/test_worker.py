# SPDX-License-Identifier: Apache-2.0
"""The model in processes of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.worker import model_outputs
from tests.npu import NpuModes


def test_outputs_come_back_in_order_and_errors_in_a_line(npu_modes: NpuModes) -> None:
    found = model_outputs(npu_modes.relinked.modes, npu_modes.inputs)
    assert all(np.array_equal(one, wanted) for one, wanted in zip(found, npu_modes.expected, strict=True))
    mode = npu_modes.relinked.modes[0]
    broken = replace(mode, payload=replace(mode.payload, stream=mode.payload.stream[:-1]))
    with pytest.raises(NpuModelError, match=r"^88: the command stream does not end with STOP"):
        model_outputs([broken], npu_modes.inputs[:1])
