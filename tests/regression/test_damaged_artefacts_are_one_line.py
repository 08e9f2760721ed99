# SPDX-License-Identifier: Apache-2.0
"""What stages leave for others: damaged, it was read as it was, or ended in errors of numpy, json and zipfile."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import Bundle, Manifest
from dimmer.pipeline.artifacts.calibration import Calibration, Statistics
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, mode_sources
from dimmer.pipeline.artifacts.exported import Exported, Narrow, NarrowLayer
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.artifacts.gate_record import load_gate_history
from dimmer.pipeline.artifacts.verification import Verified
from dimmer.pipeline.core.stage import MANIFEST, Stage
from dimmer.pipeline.energy.discharge import policy_of_report
from dimmer.pipeline.networks.sites import NarrowTensor
from dimmer.targets.kit.toolchain import section_sizes
from tests.damage import damages
from tests.pipeline import artifact_examples as examples

DAMAGES = 300
LAYER = NarrowLayer(np.full((2, 1, 1, 3), 7, np.int8), np.array([0.5, 0.25]), np.array([1.0, -1.0]), "0.0.in")
EXPORTED = Exported(
    {"input": np.ones((1, 1, 2, 2), np.float32)}, Narrow({"0.0.conv1": LAYER}, {"0.0.in": NarrowTensor(4, "stem")})
)


def save_report(folder: Path) -> None:
    tier = {"mode": "88", "min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 0, "dwell_s": 0}
    report = {"policy": [tier], "modes": [{"name": "88", "energy_uj": 1.0}]}
    (folder / "report.json").write_text(json.dumps(report))


def save_elf(folder: Path) -> None:
    (folder / "firmware.elf").write_bytes(Path("/bin/true").read_bytes())


STATISTICS = Statistics({"80": {"stem": (torch.zeros(3), torch.ones(3))}})
MODES = Converted(("stem", "head"), (ConvertedMode("88", "88.tflite", ("a",)),))

ARTEFACTS: dict[str, tuple[Callable[[Path], object], str, Callable[[Path], object]]] = {
    "calibration": (examples.calibration().save, "calibration.json", Calibration.load),
    "statistics": (STATISTICS.save, "statistics.safetensors", Statistics.load),
    "sites": (lambda f: EXPORTED.save(f, "44"), "44.sites.npz", lambda f: Exported.load(f, "44")),
    "narrow": (lambda f: EXPORTED.save(f, "44"), "44.narrow.npz", lambda f: Exported.load(f, "44")),
    "converted": (MODES.save, "modes.json", mode_sources),
    "firmware": (examples.firmware().save, "firmware.json", Firmware.load),
    "verified": (examples.verified().save, "verify.json", Verified.load),
    "bundle": (examples.bundle("host").save, "bundle.json", Bundle.load),
    "manifest": (lambda f: (f / "manifest.json").write_text("{}"), "manifest.json", Manifest.load),
    "gates": (
        lambda f: (f / "history.json").write_text("{}"),
        "history.json",
        lambda f: load_gate_history(f / "history.json"),
    ),
    "report": (save_report, "report.json", lambda f: policy_of_report(f / "report.json")),
    "elf": (save_elf, "firmware.elf", lambda f: section_sizes(f / "firmware.elf")),
}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_300_damaged_copies_are_read_as_something_or_one_line(name: str, tmp_path: Path) -> None:
    save, file, load = ARTEFACTS[name]
    save(tmp_path)
    path = tmp_path / file
    whole, told = path.read_bytes(), []
    for content in damages(whole, DAMAGES):
        path.write_bytes(content)
        try:
            load(tmp_path)
        except DimmerError as error:
            told.append(str(error))
    # A flipped digit of a figure is still a document: what holds against that is the manifest, below.
    assert len(told) > DAMAGES // 5
    assert all(str(tmp_path) in line for line in told)


def test_statistics_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    for mean, var in ((torch.tensor([float("nan")]), torch.ones(1)), (torch.zeros(1), -torch.ones(1))):
        Statistics({"80": {"stem": (mean, var)}}).save(tmp_path)
        with pytest.raises(DimmerError, match=r"statistics\.safetensors cannot be read .*build again"):
            Statistics.load(tmp_path)


def maker(folder: Path) -> Stage:
    def make(out: Path) -> None:
        (out / "modes.json").write_text('{"figure": 12345}')
        (out / "inner").mkdir()
        (out / "inner" / "file").write_text("content")

    return Stage("maker", folder, make)


@pytest.mark.parametrize("of_folder", [True, False])
def test_a_stage_reads_only_what_the_one_before_it_left(of_folder: bool, tmp_path: Path) -> None:
    def read(out: Path) -> None:
        (out / "done").touch()

    made = tmp_path / "made"
    path = made / "modes.json"
    reader = Stage("reader", tmp_path / "reader", read, [made if of_folder else path])
    maker(made).run()
    whole = path.read_bytes()
    assert not reader.run().cached
    for content in damages(whole, 50):
        path.unlink()
        path.write_bytes(content)
        with pytest.raises(DimmerError, match=r"modes\.json is not what its stage left; remove .*made and build again"):
            reader.run()
    assert not maker(made).run().cached
    assert path.read_bytes() == whole
    assert reader.run().cached
    for content in (b"", b"[]", b"{", b"\xff", b'{"outputs": 3}'):
        (made / MANIFEST).write_bytes(content)
        with pytest.raises(DimmerError, match=rf"{MANIFEST} is damaged; remove .*made and build again"):
            reader.run()


def test_a_stage_reads_no_folder_that_lacks_a_file(tmp_path: Path) -> None:
    made = tmp_path / "made"
    maker(made).run()
    (made / "inner" / "file").unlink()
    reader = Stage("reader", tmp_path / "reader", lambda out: out.mkdir(exist_ok=True), [made])
    with pytest.raises(DimmerError, match=r"inner/file is not what its stage left"):
        reader.run()
