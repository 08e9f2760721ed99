# SPDX-License-Identifier: Apache-2.0
"""The quantiser draws bars of its own where a network has a hundred tensors, across those of the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.conversion.quantise import quantise
from tests.firmware_gen.tflite_builder import Layers

LARGE = 1000


def float_chain() -> bytes:
    """A float model of one operator."""
    net = Layers(0)
    x = net.tensor("x", [1, 8], "float32")
    y = net.operator("LOGISTIC", [x], net.tensor("y", [1, 8], "float32"))
    return net.build(x, y)


def test_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from ai_edge_quantizer.utils import progress_utils

    begin, asked = progress_utils.ProgressBar.__init__, []

    def of_a_large_one(self: Any, total_steps: int, *args: Any, **named: Any) -> None:
        asked.append(total_steps)
        begin(self, LARGE + total_steps, *args, **named)

    monkeypatch.setattr(progress_utils.ProgressBar, "__init__", of_a_large_one)
    path = tmp_path / "chain.float.tflite"
    path.write_bytes(float_chain())
    capfd.readouterr()
    assert quantise(path, {"x": "x", "y": "y"}, {"x": (-1.0, 1.0), "y": (0.0, 1.0)})
    assert asked
    assert "it/s" not in "".join(capfd.readouterr())
