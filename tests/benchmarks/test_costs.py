# SPDX-License-Identifier: Apache-2.0
"""Cost models beside counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.benchmarks.costs import Fit, fits, main, print_fits
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.artifact_examples import firmware


def test_layers_that_had_a_choice_stand_beside_their_counts_once() -> None:
    made = firmware()
    assert list(fits(made)) == [Fit(2_000_000, made.steps[0])]
    other = replace(made.steps[0], kernel="dimmer_mean_s8")
    assert list(fits(replace(made, steps=(other,)))) == []


def test_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    made = firmware()
    bare = replace(made.steps[1], instructions=None, cycles=None, cycles_source=None)
    print_fits([Fit(2_000_000, made.steps[0]), Fit(0, bare)], "costs")
    said = capsys.readouterr().out
    assert "~3,200,000" in said
    assert "1.60" in said
    assert "too few" in said


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_limits_lead_to_other_kernels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    main(path, "mps2-an386", [26112, 100])
    lines = [line for line in capsys.readouterr().out.splitlines() if "conv2d" in line]
    assert len({line.split("│")[2] for line in lines}) > 1
