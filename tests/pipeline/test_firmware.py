# SPDX-License-Identifier: Apache-2.0
"""The firmware stage as a command, and MLPerf Tiny's models within their budgets."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline import firmware
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.stage import ROOT, Stage
from dimmer.pipeline.oracle.micro import PYTHON
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.duty import DutySection
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.targets import load_target
from dimmer.targets.target import TARGETS
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.conversion.given.networks import hybrid_tflite, written
from tests.pipeline.conversion.given.networks import samples as float_samples
from tests.pipeline.shared_models import KWS, RESNET, SAMPLES, check_exact, figures_of
from tests.tiny import silent

RESNET_CODE, RESNET_RAM = 24 << 10, 60_000


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"DIMMER_BUILD": str(cwd / "build"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "dimmer.pipeline.firmware", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_governor_s_plan_is_made_anew_for_another_duty(tmp_path: Path) -> None:
    """Wake-ups and the application are counted at its rate."""
    recipe = load_recipe("mnist5k-r14")
    governed = replace(recipe, governor=GovernorSection(capacity_mah=230, days=90))

    def settings(recipe: Recipe, period_s: float) -> object:
        changed = replace(recipe, duty=DutySection(period_s=period_s))
        return firmware.stage(changed, tmp_path, load_target("host"), silent).settings

    assert settings(governed, 5) != settings(governed, 6)
    assert settings(recipe, 5) == settings(recipe, 6), "nothing of such a firmware depends on it"


def test_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    done = command("--tflite", str(path), "--target", "host", "--samples", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 of 3" in done.stdout
    assert (tmp_path / "build" / "resnet" / "host" / "firmware" / "firmware.elf").is_file()


def test_a_target_whose_runs_take_long_wants_fewer_samples(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    (tmp_path / "few").mkdir()
    text = (TARGETS / "host" / "target.toml").read_text().replace('"../', '"dimmer:')
    (tmp_path / "few" / "target.toml").write_text(text.replace("[runner]", "[runner]\nsamples = 2"))
    for samples, compared in ((None, 2), (5, 5)):
        out = tmp_path / f"out{samples}"
        firmware.main(str(tmp_path / "few"), [path], out=out, samples=samples)
        (mode,) = Firmware.load(out).modes
        assert mode.verify is not None
        assert (mode.verify.samples, mode.verify.mismatches) == (compared, 0)


def test_a_chosen_name_is_that_of_symbols_and_files(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    done = command("--tflite", str(path), "--target", "host", "--samples", "0", "--name", "Seen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "build" / "Seen" / "host" / "firmware"
    assert "const dimmer_model_t dimmer_seen = {" in (folder / "dimmer_seen.c").read_text()
    assert "DIMMER_SEEN_ARENA_SIZE" in (folder / "dimmer_seen.h").read_text()


def test_the_firmware_of_a_recipe_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    path = tmp_path / "kws.tflite"
    path.write_bytes(tiny_resnet())

    def action(out: Path) -> None:
        (out / "firmware.elf").touch()

    folder = tmp_path / "build" / "kws" / "host" / "firmware"
    Stage("firmware", folder, action, settings={"policy": {}}).run()
    with pytest.raises(DimmerError, match=r"is the firmware of the recipe kws, .* with --name"):
        firmware.main("host", [path], samples=0)
    assert (folder / "firmware.elf").is_file()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--tflite", "resnet.tflite", "--name", "a-b"), "the name 'a-b' is no identifier of C"),
        (("--name", "seen"), "--name goes with --tflite"),
        (("--calibration", "a.npz"), "--calibration goes with --tflite"),
        (("--out", "here"), "--out goes with --tflite"),
        (("--samples", "0"), "--samples goes with --tflite"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    (tmp_path / "resnet.tflite").write_bytes(tiny_resnet())
    done = command(*arguments, "--target", "host", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: {why}")


@pytest.mark.slow
@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_a_float_network_is_quantised_and_verified(tmp_path: Path, board: str) -> None:
    images, labels = float_samples(240)
    np.savez(tmp_path / "a.npz", x=images, y=labels)
    words = ("--tflite", str(written(tmp_path, hybrid_tflite())), "--target", board, "--samples", "4")
    refused = command(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert "type: dimmer firmware --tflite net.tflite --calibration DATA" in refused.stderr.splitlines()[-1]
    done = command(*words, "--calibration", str(tmp_path / "a.npz"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "accuracy on 120 other samples: 100.0% in float, 100.0% in int8" in done.stdout
    assert "0 of 8" in done.stdout
    report = json.loads((tmp_path / "build" / "net" / board / "firmware" / "report.json").read_text())
    assert (report["modes"][0]["accuracy"], report["modes"][0]["accuracy_float"]) == (1.0, 1.0)


def test_without_tflite_micro_no_work_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON, "/no/such/python")
    with pytest.raises(DimmerError, match="/no/such/python is no program"):
        firmware.main("host", [tmp_path / "none.tflite"], reference=Reference.TFLM)


def test_errors_are_one_line(tmp_path: Path) -> None:
    done = command("--tflite", str(tmp_path / "nothing.tflite"), "--target", "host", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.shared
@pytest.mark.board("mps2-an386")
@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("model", [RESNET, KWS], ids=lambda model: model.stem)
def test_shared_models_on_the_board(builds: Path, model: Path, samples: int) -> None:
    figures = figures_of(builds, model, "mps2-an386", samples)
    mode = check_exact(figures, samples)
    assert mode.verify is not None
    assert mode.verify.backend == load_target("mps2-an386").description
    assert figures.flash.runtime_code <= RESNET_CODE
    assert figures.ram.stack is not None
    assert figures.ram.arena + figures.ram.stack <= RESNET_RAM
