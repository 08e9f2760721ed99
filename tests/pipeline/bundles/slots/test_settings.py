# SPDX-License-Identifier: Apache-2.0
"""Records of settings: the C takes what Python writes, and refuses the rest with its reason."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import STALE_INFERENCES, STALE_S, PolicyConfig, Tier
from dimmer.firmware_gen.library import engine_sources
from dimmer.pipeline.bundles.slots.settings import SIZE, Settings, pack, read_settings
from tests.firmware_gen.runtime.c_library import SANITIZED, compile_c

RUNTIME_TESTS = Path(__file__).resolve().parents[3] / "firmware_gen" / "runtime"

TOML = """
[policy]
dwell_s = 60
hysteresis_permille = 20
tiers = [
    { min_charge_permille = 300, min_millivolts = 0, mode = 0 },
    { min_charge_permille = 0, min_millivolts = 0, mode = 1 },
]

[plan]
permille_units = 1000
unit_shift = 4
sleep_q8 = 256
period_ms = 1000
report_s = 60
life_s = 86400
points = [{ cost = 300, mode = 1 }, { cost = 400, mode = 0 }]

[duty]
period_ms = 5000
"""


def record(folder: Path, sequence: int) -> bytes:
    path = folder / "settings.toml"
    path.write_text(TOML)
    return pack(read_settings(path, sequence, 2))


def test_reports_grow_too_old_where_the_file_does_not_say_when(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(TOML)
    policy = read_settings(path, 1, 2).policy
    assert policy is not None
    assert (policy.stale_s, policy.stale_inferences) == (STALE_S, STALE_INFERENCES)
    path.write_text(TOML.replace("dwell_s = 60", "dwell_s = 60\nstale_s = 0"))
    policy = read_settings(path, 1, 2).policy
    assert policy is not None
    assert (policy.stale_s, policy.stale_inferences) == (0, STALE_INFERENCES)


def test_the_c_takes_what_python_writes(tmp_path: Path) -> None:
    program = compile_c(
        "gcc",
        [*engine_sources(), RUNTIME_TESTS / "settings_test.c"],
        tmp_path / "settings_test",
        *SANITIZED,
        f"-I{RUNTIME_TESTS}",
    )
    files = []
    for sequence in (1, 2):
        files.append(tmp_path / f"{sequence}.bin")
        files[-1].write_bytes(record(tmp_path, sequence))
    done = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_record_is_small_and_sealed() -> None:
    made = pack(Settings(3, 2, period_ms=100))
    assert len(made) == SIZE
    assert struct.unpack("<I", made[-4:])[0] == zlib.crc32(made[:-4])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[polices]\nx = 1\n", "known are policy, plan and duty"),
        ("[duty]\nperiod_ms = 0\n", "period_ms"),
        ("[duty]\nperiod_ms = true\n", "period_ms"),
        ("[policy]\ndwell = 3\n", "unknown key"),
        ("[policy]\ntiers = 3\n", "a list of tables"),
        ('[policy]\ndwell_s = "3"\n', "whole numbers"),
        ("[plan]\nreport_s = 3\n", "not complete"),
        ("policy = 3\n", "is no table"),
        ("", "the settings are empty"),
        ("[", "cannot be read"),
        ("[policy]\ntiers = [{ min_charge_permille = 0, min_millivolts = 0, mode = 2 }]\n", "selects mode 2 of 2"),
        ("[policy]\ndwell_s = 5000000000\n", "out of range"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(DimmerError, match=reason):
        pack(read_settings(path, 1, 2))


def test_numbers_that_do_not_fit() -> None:
    with pytest.raises(DimmerError, match="32 bits"):
        pack(Settings(1 << 32, 1, period_ms=1))
    assert pack(Settings(1, 2, policy=PolicyConfig((Tier(0, 0, 1),))))
