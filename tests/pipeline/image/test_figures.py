# SPDX-License-Identifier: Apache-2.0
"""What is told of a firmware."""

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.artifacts.firmware import LeftOut, PolicyTier, Verification
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.events import ModeCounted, StackUsed, StepCounted, SwitchCounted
from dimmer.pipeline.image.figures import Judged, Ran, figures_of, policy_tiers, print_figures
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware
from tests.pipeline.image.orders import modes_order

NO_PROOF = "host is no bare board: what its operating system keeps for the stack is enough"


def test_tiers_have_the_modes_names() -> None:
    policy = PolicyConfig((Tier(500, 3300, 1), Tier(0, 0, MODE_GATED)), dwell_s=60, hysteresis_permille=20)
    assert policy_tiers(policy, ("88", "80")) == (
        PolicyTier("80", 500, 3300, 20, 60),
        PolicyTier("gated", 0, 0, 20, 60),
    )


def test_events_judgements_and_reasons_stand_where_they_belong(tmp_path: Path) -> None:
    target, order = load_target("host"), modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out", prove_stack=True)
    first = order.modes[0].name
    events = (ModeCounted(first, 100, 160), SwitchCounted(5), StackUsed(64), StepCounted(first, 1, 30, 50))
    gone = (LeftOut("44", 7, "too slow"),)
    judged = Judged(gone, "880 is never chosen")
    figures = figures_of(order, target, compiled, compiled, Ran(events), judged, set())
    assert [mode.instructions for mode in figures.modes] == [100, None, None]
    assert [(mode.cycles, mode.cycles_source) for mode in figures.modes] == [(160, "rtl"), (None, None), (None, None)]
    assert figures.switch.instructions is None, "the host's numbers mean nothing"
    assert figures.ram.stack == 64
    assert figures.ram.total == compiled.sizes.data + compiled.sizes.bss + 64
    (step,) = figures.steps
    assert (step.layer, step.instructions) == (compiled.model.steps[1].layer, 30)
    assert (step.cycles, step.cycles_source) == (50, "rtl")
    assert figures.left_out == gone
    assert figures.stack.proven is None
    assert figures.notes == {
        **dict.fromkeys(("stack.proven", "stack.before_hook", "stack.exception_frame"), NO_PROOF),
        "modes[*].instructions": "host has no instruction counter",
        "switch.instructions": "host has no instruction counter",
        "modes[*].cycles": "neither measured nor modelled",
        "modes[*].cycles_source": "neither measured nor modelled",
        "steps[*].instructions": "host has no instruction counter",
        "steps[*].cycles": "neither measured nor modelled",
        "steps[*].cycles_source": "neither measured nor modelled",
        "modes[*].verify": "left to pipeline.verify",
        "policy": "880 is never chosen",
    }


def test_a_comparison_on_few_inputs_is_told_with_its_reason(tmp_path: Path) -> None:
    host, order = load_target("host"), modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, host, tmp_path / "out")
    few = replace(host, runner=replace(host.runner, samples=2))
    for target, compared, told in ((few, 2, True), (few, 5, False), (host, 2, False)):
        ran = Ran((), {mode.name: Verification(compared, 0, "host") for mode in order.modes})
        notes = figures_of(order, target, compiled, compiled, ran, Judged(), set()).notes
        assert notes.get("modes[*].verify", "").startswith("2 inputs of a mode, since each") == told


def test_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(firmware())
    text = capsys.readouterr().out
    assert "88.88.88" in text
    assert "flash   1,500 = weights 1,000 + tables 200 + code 300 (runtime and kernels 250)" in text
    assert "stack   proven 600 bytes (call graph), painted 512 bytes, dimmer_invoke by itself 344; a switch" in text
    assert "a switch takes 9 instructions" in text
    assert "~3,200,000" in text
    assert "too few" in text
    assert "guess" not in text
    print_figures(replace(firmware(), target="mps2-an505"))
    assert "Cortex-M33: a guess" in capsys.readouterr().out
