# SPDX-License-Identifier: Apache-2.0
"""The stages' figures end up in the right places of the report."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.calibration import calibration_folder
from dimmer.pipeline.artifacts.firmware import GateCount, LeftOut, PolicyTier, Verification, firmware_folder
from dimmer.pipeline.artifacts.report import LayerFlash
from dimmer.pipeline.artifacts.verification import VerifiedBudget, VerifiedGates, verify_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.networks.gates.agreement import Agreement
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.duty import DutySection
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.page import check_document
from dimmer.targets import load_target
from dimmer.targets.power.constants import Constant
from tests.pipeline.artifact_examples import calibration, firmware, verified


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    build, target = tmp_path / "mnist5k-r14", "mps2-an386"
    for artifact, folder in (
        (calibration(), calibration_folder(build)),
        (firmware(), firmware_folder(build, target)),
        (verified(), verify_folder(build, target)),
    ):
        artifact.save(folder)
    return BuildContext(load_recipe("mnist5k-r14"), load_target(target), build)


def test_figures_come_from_the_stage_that_measured_them(context: BuildContext) -> None:
    data = collect(context, [StageResult("train", 1.0, True)])
    top = data.modes[0]
    assert (top.name, top.macs, top.bit_operations) == ("88.88.88", 2_000_000, 128_000_000)
    assert (top.accuracy, top.accuracy_float) == (0.88, 0.885)
    assert top.verify == Verification(100, 0, "QEMU")
    assert (top.cycles, top.cycles_source) == (3_200_000, "model")
    assert top.energy_uj == pytest.approx(3_200_000 * 1.08 * 194e-6 * 1.8)
    assert data.steps == firmware().steps
    assert [candidate.published for candidate in data.candidates] == [True, False, True]
    assert data.policy[1] == PolicyTier("80.80.80", 0, 0, 30, 60)
    assert data.layers == (LayerFlash("stem", 144, 128, ("88.88.88", "80.80.80")),)
    assert "cycles x wait factor 1.08 x 194 pC x 1.8 V" in data.notes["modes[*].energy_uj"]
    assert data.energy is not None
    assert [mode.name for mode in data.energy.modes] == ["88.88.88", "80.80.80"]
    assert data.energy.board == "nucleo-l4r5zi"
    check_document(data.document())


def test_the_governor_s_life_stands_beside_the_policy_s(context: BuildContext) -> None:
    assert "governor" not in collect(context, []).battery_note
    governor = GovernorSection(capacity_mah=230, days=90, sleep_ua=3, reserve_permille=0)
    recipe = replace(context.recipe, governor=governor)
    replace(firmware(), governor=("80.80.80", "88.88.88")).save(firmware_folder(context.build_dir, "mps2-an386"))
    note = collect(replace(context, recipe=recipe), []).battery_note
    # 3.2 million cycles x 1.08 x 194 pC, every 10 s, and 3 uA: 70 uA of 230 mAh.
    assert note.endswith(
        "Under the governor 230 mAh last 137 days, and 88.0 % are right, where everything is as [governor] says."
    )
    slow = replace(recipe, governor=replace(governor, days=400))
    assert "last 400 days" in collect(replace(context, recipe=slow), []).battery_note
    asleep = replace(recipe, governor=replace(governor, days=400, sleep_ua=30))
    assert "230 mAh last 319 days, and nothing is inferred: 30.1 uA between inferences empty them before the 400" in (
        collect(replace(context, recipe=asleep), []).battery_note
    )


def test_a_governor_without_a_sleep_of_its_own_has_the_board_s(context: BuildContext) -> None:
    """A Pico sleeps at more than a milliampere: no deadline of months is promised there."""
    energy = context.target.energy
    assert energy is not None
    target = replace(context.target, energy=replace(energy, sleep_ua=Constant(1200, 100, "a paper")))
    replace(firmware(), governor=("80.80.80", "88.88.88")).save(firmware_folder(context.build_dir, "mps2-an386"))
    recipe = replace(context.recipe, governor=GovernorSection(capacity_mah=230, days=90, reserve_permille=0))
    data = collect(replace(context, target=target, recipe=recipe), [])
    assert data.energy is not None
    (sleep,) = (constant for constant in data.energy.constants if constant.name == "sleep_ua")
    assert (sleep.value, sleep.source) == (1200, "a paper")
    assert "230 mAh last 7.99 days, and nothing is inferred" in data.battery_note


def test_another_clock_counts_in_all_energies(context: BuildContext) -> None:
    energy = context.target.energy
    assert energy is not None
    target = replace(context.target, energy=replace(energy, fixed_ua=Constant(2000, 200, "a paper")))
    recipe = replace(context.recipe, duty=DutySection(clock_mhz=16))
    data = collect(replace(context, target=target, recipe=recipe), [])
    assert data.energy is not None
    for mode, one in zip(data.modes, data.energy.modes, strict=True):
        assert mode.energy_uj is not None
        assert one.inference_uj.low < mode.energy_uj < one.inference_uj.high
    # 3.2 million cycles of 1.08 take 216 ms at 16 MHz, 187 ms more than at 120: 2 mA of 1.8 V for so long.
    assert data.modes[0].energy_uj == pytest.approx(3_200_000 * 1.08 * 194e-6 * 1.8 + 187.2 * 2 * 1.8, rel=1e-3)
    assert "2000 uA while 16 MHz take longer than 120" in data.notes["modes[*].energy_uj"]


def test_the_governor_s_life_counts_wake_ups_and_the_application(context: BuildContext) -> None:
    """As long as the energy table says of the one mode that is chosen from, whatever the application takes."""
    energy = context.target.energy
    assert energy is not None
    target = replace(context.target, energy=replace(energy, application_uc=Constant(1500, 150, "a paper")))
    governor = GovernorSection(capacity_mah=230, days=1, sleep_ua=3, reserve_permille=0)
    replace(firmware(), governor=("88.88.88",)).save(firmware_folder(context.build_dir, "mps2-an386"))
    data = collect(replace(context, target=target, recipe=replace(context.recipe, governor=governor)), [])
    assert data.energy is not None
    days = data.energy.modes[0].life_days
    told = re.search(r"Under the governor 230 mAh last ([\d.]+) days", data.battery_note)
    assert told is not None
    assert days.low < float(told[1]) < days.high
    assert float(told[1]) == pytest.approx(230 * 3600 / 86.4 / (3 + 0.05 + 150 + 67.05), rel=0.01)


def test_a_period_that_is_too_short_is_no_shorter_than_an_inference(context: BuildContext) -> None:
    """3.2 million cycles of 1.08 at 120 MHz take 29 ms."""
    recipe = replace(context.recipe, duty=DutySection(period_s=0.01, capacity_mah=100))
    governor = GovernorSection(capacity_mah=100, days=0.1, sleep_ua=5, reserve_permille=0)
    replace(firmware(), governor=("88.88.88",)).save(firmware_folder(context.build_dir, "mps2-an386"))
    data = collect(replace(context, recipe=replace(recipe, governor=governor)), [])
    assert data.energy is not None
    assert "88.88.88, 80.80.80 take longer than the period: they run without a pause." in data.battery_note
    days = data.energy.modes[0].life_days
    fixed = re.search(r"throughout: 88\.88\.88 ([\d.]+) h", data.battery_note)
    governed = re.search(r"mAh last ([\d.]+) days", data.battery_note)
    assert fixed is not None
    assert governed is not None
    assert days.low < float(fixed[1]) / 24 < days.high
    assert days.low < float(governed[1]) < days.high


def test_a_target_that_is_compared_on_few_inputs_says_so(context: BuildContext) -> None:
    assert "modes[*].verify" not in collect(context, []).notes
    few = replace(context.target, runner=replace(context.target.runner, samples=2))
    data = collect(replace(context, target=few), [])
    assert data.notes["modes[*].verify"].startswith(
        "at most 2 inferences of a mode, since each takes long on mps2-an386"
    )
    check_document(data.document())


def test_battery_goes_through_the_modes(context: BuildContext) -> None:
    data = collect(context, [])
    assert {sample.mode for sample in data.battery} == {"88.88.88", "80.80.80"}
    assert "220 mAh" in data.battery_note
    assert "in one mode throughout: 88.88.88" in data.battery_note
    # A cell of 3 V pays 3 V x charge: more than the board's energy at 1.8 V.
    assert data.energy is not None
    hours = data.battery[-1].time_s / 3600
    first, last = (mode.life_days for mode in data.energy.modes)
    assert 24 * first.low < hours < 24 * last.high


def test_the_recipe_says_how_often_and_from_what_cell(context: BuildContext) -> None:
    slow = replace(context.recipe, duty=DutySection(period_s=10, capacity_mah=1000, quiet_hours=6))
    data = collect(replace(context, recipe=slow), [])
    assert data.energy is not None
    assert data.energy.period_s == pytest.approx(13.333)
    assert data.energy.cell_mah == 1000
    assert next(one for one in data.energy.levers if one.name == "quiet hours").in_use
    check_document(data.document())


def test_target_without_energy_has_null_and_a_reason(context: BuildContext) -> None:
    data = collect(replace(context, target=replace(context.target, energy=None)), [])
    assert data.modes[0].energy_uj is None
    assert data.battery == ()
    assert data.energy is None
    assert data.notes["energy"] == "targets/mps2-an386/target.toml has no [energy]"
    check_document(data.document())


def test_missing_figures_name_the_file(context: BuildContext) -> None:
    path = context.target_dir / "verify" / "verify.json"
    path.unlink()
    with pytest.raises(DimmerError, match=r"verify\.json cannot be read .*: remove .*verify and build again"):
        collect(context, [])


def test_a_mode_left_out_on_the_target_says_why(context: BuildContext) -> None:
    gone = LeftOut("80.88.88", 9, "88.88.88 takes 8 instructions there")
    replace(firmware(), left_out=(gone,)).save(firmware_folder(context.build_dir, "mps2-an386"))
    entry = next(c for c in collect(context, ()).candidates if c.name == "80.88.88")
    assert not entry.published
    assert entry.reason == "88.88.88 takes 8 instructions there"


def test_gates_are_what_was_verified_and_what_was_counted(context: BuildContext) -> None:
    budget = VerifiedBudget(0.5, 0.9, 0.48, Agreement(0.99, 0.97), {"88.88.88": 1000})
    gates = VerifiedGates(100, {"host": 0, "mps2-an386": 0}, 0.002, (budget,))
    replace(verified(), gates=gates).save(verify_folder(context.build_dir, "mps2-an386"))
    for counted, keys in ((GateCount(5, 0.01), ["instructions", "share_of_top_mode"]), (GateCount(None, None), [])):
        replace(firmware(), gates=counted).save(firmware_folder(context.build_dir, "mps2-an386"))
        data = collect(context, [])
        assert list(data.gates) == ["samples", "mismatches", "share_of_macs", "budgets", *keys]
        assert isinstance(data.gates["budgets"], list), "as it will be read from report.json"
        check_document(data.document())
