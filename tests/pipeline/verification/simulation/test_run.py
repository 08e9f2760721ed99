# SPDX-License-Identifier: Apache-2.0
"""A fleet in parts: kept, gone on with, the same by Dask."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import RUNTIME
from dimmer.pipeline.core.closure import closure
from dimmer.pipeline.core.extras import missing_packages
from dimmer.pipeline.verification.simulation import run
from dimmer.pipeline.verification.simulation.experiment import Outcome, Part, simulate_part
from dimmer.pipeline.verification.simulation.run import EMBEDDED, NONE, parts_of, simulate_fleet
from dimmer.pipeline.verification.simulation.scenarios import Scenario, Spread
from dimmer.pipeline.verification.simulation.setting import Setting
from tests.pipeline.verification.simulation.shared import SETTING, deadline

SCENARIO = deadline(days=2, capacity_mah=5, spread=Spread())


def quiet(text: str, share: float) -> None:
    del text, share


def test_a_fleet_is_cut_into_parts() -> None:
    parts = parts_of(2400, 2)
    assert [(p.seed, p.number, p.devices) for p in parts] == [
        (0, 0, 1000), (0, 1, 1000), (0, 2, 400), (1, 0, 1000), (1, 1, 1000), (1, 2, 400),
    ]  # fmt: skip


def test_what_was_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [Part(0, 0, 5, 0), Part(0, 1, 5, 0)]
    first = simulate_fleet([SCENARIO], SETTING, parts[:1], tmp_path, NONE, quiet)
    simulated: list[Part] = []

    def noted(scenario: Scenario, setting: Setting, part: Part) -> Outcome:
        simulated.append(part)
        return simulate_part(scenario, setting, part)

    monkeypatch.setattr(run, "simulate_part", noted)
    both = simulate_fleet([SCENARIO], SETTING, parts, tmp_path, NONE, quiet)
    assert simulated == parts[1:]
    assert np.array_equal(both["small"][0].right, first["small"][0].right)
    assert not np.array_equal(both["small"][0].right, both["small"][1].right)


@pytest.mark.slow
@pytest.mark.skipif(bool(missing_packages(["distributed"])), reason="needs pip install 'dimmer-nn[simulate]'")
def test_dask_gives_the_same_numbers(tmp_path: Path) -> None:
    parts = [Part(0, 0, 5, 0), Part(0, 1, 5, 0), Part(1, 0, 5, 0)]
    alone = simulate_fleet([SCENARIO], SETTING, parts, tmp_path / "alone", NONE, quiet)
    dask = simulate_fleet([SCENARIO], SETTING, parts, tmp_path / "dask", EMBEDDED, quiet)
    for one, other in zip(alone["small"], dask["small"], strict=True):
        assert np.array_equal(one.right, other.right)
        assert np.array_equal(one.alive, other.alive)


@pytest.mark.slow
@pytest.mark.skipif(bool(missing_packages(["distributed"])), reason="needs pip install 'dimmer-nn[simulate]'")
def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_CONNECT_S", 1)
    with pytest.raises(DimmerError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        simulate_fleet([SCENARIO], SETTING, [Part(0, 0, 2, 0)], tmp_path, "tcp://127.0.0.1:9", quiet)


def test_what_was_done_is_found_wherever_the_package_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files were hashed in the order of their full paths, which is another one in another place."""
    here, runtime = Path(run.__file__).parent, RUNTIME
    found = []
    for first, second in (("a", "b"), ("b", "a")):
        package, library = tmp_path / f"{first}1" / "simulation", tmp_path / f"{second}2"
        for source, copy in ((here, package), (runtime, library)):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "kernels"))
        monkeypatch.setattr(run, "__file__", str(package / "run.py"))
        monkeypatch.setattr(run, "RUNTIME", library)
        found.append(run._code.__wrapped__())
    assert found[0] == found[1]
    (library / "src" / "governor.c").write_text("")
    assert run._code.__wrapped__() != found[0]


def test_all_that_a_part_runs_counts() -> None:
    files = closure(run._EXPERIMENT).hashes()
    for name in ("energy/recharge.py", "image/policy.py", "verification/simulation/world.py"):
        assert f"pipeline/{name}" in files
