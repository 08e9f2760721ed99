# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.features.detector import NEVER, ActivitySpec, DetectorSpec
from dimmer.firmware_gen.features.emit import FrontEnd, feature_files
from dimmer.firmware_gen.features.image import image_tables
from dimmer.firmware_gen.features.presets import MICROFRONTEND, MLPERF_KWS
from dimmer.firmware_gen.features.sensor import sensor_tables
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.firmware_gen.library import INCLUDE
from tests.firmware_gen.features.test_image import FRONTS as CAMERAS
from tests.firmware_gen.features.test_sensor import FRONTS as SENSORS
from tests.firmware_gen.runtime.c_library import STRICT, compiler

DETECTOR, GATE = DetectorSpec((NEVER, 200), 4, 50), ActivitySpec(1000)
EVERY: dict[str, FrontEnd] = {
    "kws": audio_tables(MLPERF_KWS),
    "micro": audio_tables(MICROFRONTEND),
    "filters": sensor_tables(SENSORS["filters"]),
    "plain": sensor_tables(SENSORS["plain"]),
    "area": image_tables(CAMERAS["area"]),
    "bilinear": image_tables(CAMERAS["bilinear"]),
}


@pytest.mark.parametrize("language", ["gcc -xc", "g++ -xc++ -std=c++17"])
def test_files_compile_without_a_warning(tmp_path: Path, language: str) -> None:
    """As C99 under the library's warnings, and as C++: several models' in one program."""
    command, *flags = language.split()
    warnings = STRICT if command == "gcc" else ("-Wall", "-Wextra", "-Werror")
    for name, front in EVERY.items():
        for file, text in feature_files(name, front, DETECTOR, GATE).items():
            (tmp_path / file).write_text(text)
    sources = sorted(map(str, tmp_path.glob("*.c")))
    assert len(sources) == len(EVERY)
    words = [compiler(command), *flags, *warnings, f"-I{INCLUDE}", "-fsyntax-only", *sources]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_header_says_what_an_application_needs() -> None:
    header = feature_files("my kws", EVERY["kws"], DETECTOR)["dimmer_my_kws_features.h"]
    for line in (
        "#define DIMMER_MY_KWS_FEATURES_SIZE 3168",
        "#define DIMMER_MY_KWS_SAMPLES 15840",
        "#define DIMMER_MY_KWS_DETECTOR_SIZE 12",
        "extern const dimmer_audio_t dimmer_my_kws_features;",
        "extern const dimmer_detector_t dimmer_my_kws_detector;",
    ):
        assert line in header
    assert "activity" not in header


def test_a_detector_stands_alone() -> None:
    files = feature_files("fall", None, DETECTOR, GATE)
    assert "dimmer_audio" not in "".join(files.values())
    assert "dimmer_fall_activity" in files["dimmer_fall_features.h"]


def test_the_same_parameters_make_the_same_bytes() -> None:
    assert feature_files("kws", EVERY["kws"]) == feature_files("kws", audio_tables(MLPERF_KWS))
