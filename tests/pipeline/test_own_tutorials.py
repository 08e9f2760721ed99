# SPDX-License-Identifier: Apache-2.0
"""The tutorials on data of one's own: what they say to type, on small synthetic data; their C compiles."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.core.closure import ROOT
from tests.firmware_gen.harness import WARNINGS
from tests.own_data import write_images, write_steps
from tests.pipeline.test_cli import dimmer

PAGES = ROOT / "docs" / "tutorials"
RATE = 16_000


def pictures(folder: Path) -> None:
    write_images(folder / "pictures", {"oak": 40, "elm": 31})


def imu(folder: Path) -> None:
    write_steps(folder / "imu.csv", subjects=6, each=32)


def sounds(folder: Path) -> None:
    """Three seconds of training from each of eight speakers: tones that rise, that fall, and noise."""
    rng = np.random.default_rng(1)
    for name, (low, high) in {"up": (400, 900), "down": (900, 400), "_background_": (0, 0)}.items():
        (folder / "sounds" / name).mkdir(parents=True)
        for number in range(32):
            sound = rng.normal(0, 0.02, RATE)
            begin, length = rng.integers(1000, 6000), int(rng.integers(5000, 8000))
            turns = np.cumsum(np.linspace(low, high, length) * rng.uniform(0.9, 1.1)) / RATE
            sound[begin : begin + length] += 0.4 * bool(high) * np.hanning(length) * np.sign(np.sin(2 * np.pi * turns))
            codes = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
            wavfile.write(folder / "sounds" / name / f"spk{number % 8}_{number}.wav", RATE, codes)


def load(folder: Path) -> None:
    force = np.random.default_rng(0).standard_normal(6400).cumsum()
    (folder / "load.csv").write_text("\n".join(["force,kg", *(f"{one:.3f},{one / 7:.3f}" for one in force)]))


def motor(folder: Path) -> None:
    rng, time = np.random.default_rng(0), np.arange(64)
    with (folder / "motor.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["vx", "vy", "state"])
        for number in range(260):
            phase = rng.uniform(0, 6.28)
            wave = np.stack([np.sin(0.2 * time + phase), np.cos(0.2 * time + phase)], 1) * rng.uniform(0.8, 1.2)
            wave += 0.1 * rng.normal(size=wave.shape)
            if number >= 200:
                wave += 0.6 * np.stack([np.sin(1.3 * time), np.sin(0.9 * time)], 1)
            rows.writerows((f"{x:.3f}", f"{y:.3f}", "worn" if number >= 200 else "fine") for x, y in wave)


DATA: dict[str, Callable[[Path], None]] = {
    "own-images": pictures,
    "own-windows": imu,
    "own-words": sounds,
    "own-values": load,
    "own-anomalies": motor,
}
LAST = {
    "own-images": ("accuracy", "taken for"),
    "own-windows": ("accuracy", "taken for"),
    "own-words": ("all bit-exact", "[features.detector]"),
    "own-values": ("MAE, kg", "R2, kg"),
    "own-anomalies": ("AUC", "anomalies found"),
}
"""What the last command of each page says."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.S)


def test_each_page_is_at_most_three_commands() -> None:
    for page in DATA:
        (commands,) = blocks(page, "sh")
        lines = commands.splitlines()
        assert sum(line.startswith("dimmer ") for line in lines) == 3
        assert all(line.startswith(("dimmer ", "cd ")) for line in lines)


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("page", DATA)
def test_what_it_says_to_type(tmp_path: Path, page: str) -> None:
    DATA[page](tmp_path)
    cache, here, done = str(tmp_path / "cache"), tmp_path, None
    (commands,) = blocks(page, "sh")
    for line in commands.splitlines():
        verb, *words = shlex.split(line)
        if verb == "cd":
            here = here / words[0]
            (recipe,) = here.glob("models/*/recipe.toml")
            recipe.write_text(re.sub(r"(?m)^epochs = \d+", "epochs = 20", recipe.read_text()))
            continue
        done = dimmer(here, *words, DIMMER_CACHE=cache, COLUMNS="160")
        assert done.returncode == 0, done.stderr
        if words[0] == "build":
            assert "bit-exact" in done.stdout
    assert done is not None
    for word in LAST[page]:
        assert word in done.stdout
    # Typed again, nothing is trained anew: what a detector is, is no matter of the weights.
    again = dimmer(here, "build", DIMMER_CACHE=cache, COLUMNS="160")
    assert re.search(r"│ train +│ +[\d.]+ │ unchanged", again.stdout), again.stdout
    (report,) = here.glob("build/*/mps2-an386/report.json")
    detection = json.loads(report.read_text()).get("detection")
    assert (detection is not None) == (page == "own-words")
    if detection is not None:
        assert detection["in_recipe"]
        assert detection["test"]["events"] > 0
    headers = next(here.glob("build/*/mps2-an386/dimmer_model.h")).parent
    for number, text in enumerate(blocks(page, "c")):
        source = tmp_path / f"{number}.c"
        source.write_text(text)
        words = ["gcc", "-std=c99", *WARNINGS, f"-I{headers}", f"-I{INCLUDE}", "-c"]
        subprocess.run([*words, str(source), "-o", str(tmp_path / "made.o")], check=True)
