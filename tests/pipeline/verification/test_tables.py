# SPDX-License-Identifier: Apache-2.0
"""Verification on the terminal."""

from dataclasses import replace

import pytest

from dimmer.pipeline.artifacts.verification import Switches, VerifiedBudget, VerifiedGates
from dimmer.pipeline.networks.gates.agreement import Agreement
from dimmer.pipeline.verification.tables import print_verified
from tests.pipeline.artifact_examples import verified


def test_modes_switches_and_gates_have_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    budget = VerifiedBudget(0.5, 0.9, 0.48, Agreement(0.99, 0.97), {"88.88.88": 1000})
    print_verified(replace(verified(), gates=VerifiedGates(100, {"host": 0, "mps2-an386": 0}, 0.002, (budget,))))
    lines = capsys.readouterr().out.splitlines()
    (top,) = (line for line in lines if "88.88.88" in line)
    assert "88.00%" in top
    assert top.count("0 of 100") == 2
    assert any("switches within an inference" in line and "0 of 30" in line for line in lines)
    assert any("gated, budget 0.5, cost 0.480" in line and "90.00%" in line for line in lines)


def test_without_a_switch_there_is_no_line_of_switches(capsys: pytest.CaptureFixture[str]) -> None:
    print_verified(replace(verified(), switches=Switches(0, None, None)))
    assert "switches" not in capsys.readouterr().out
