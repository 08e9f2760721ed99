# SPDX-License-Identifier: Apache-2.0
"""The governor's plan as the tables hold it: what is packed passes dimmer_plan_check, and only that."""

from __future__ import annotations

import ctypes
import re
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.plan import MAX_POINTS, MAX_SLEEP_Q8, MAX_UNIT_SHIFT, PlanConfig, Point
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.firmware_gen.generate import generate, tables_of
from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.runtime.c_library import STRICT, load_library

PLAN = PlanConfig((Point(100, 2), Point(150, 1), Point(400, 0)), 50_000, 9, 27_000, 10_000, 600, 86_400, 40, 5)
TABLE_BYTES = 120

Check = Callable[[bytes], int]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """dimmer_plan_check."""
    parts = [RUNTIME / "src" / f"{name}.c" for name in ("plan", "share")]
    function = load_library(tmp_path_factory.mktemp("plan"), parts).dimmer_plan_check
    function.argtypes = (ctypes.c_char_p,)
    return lambda packed: int(function(packed))


BAD: list[tuple[dict[str, object], str]] = [
    ({"points": ()}, "0 modes to choose from, 1 to 8 can be"),
    ({"points": tuple(Point(n, 0) for n in range(1, 10))}, "9 modes to choose from"),
    ({"points": (Point(100, 2), Point(100, 1))}, r"the costs of the modes, \[100, 100\] quanta, do not rise"),
    ({"points": (Point(0, 2),)}, "do not rise"),
    ({"points": (Point(100, 3),)}, "point 0 is mode 3 of 3; name an existing one"),
    ({"points": (Point(100, MODE_GATED),)}, "point 0 is mode 255 of 3"),
    ({"points": (Point(65_536, 0),)}, "does not fit its field"),
    ({"unit_shift": 19}, "unit_shift is 19, 0 to 18 can be"),
    ({"sleep_q8": MAX_SLEEP_Q8 + 1}, "sleep_q8 is"),
    ({"permille_units": 0}, "permille_units is 0, 1 to 65535 can be"),
    ({"period_ms": 0}, "period_ms is 0"),
    ({"report_s": 0}, "report_s is 0"),
    ({"reserve_permille": 1000}, "reserve_permille is 1000, 0 to 999 can be"),
    ({"low_q6": 64}, "low_q6 is 64, 0 to 63"),
    ({"life_s": 0}, "neither a deadline nor harvest"),
    ({"cold_permille": 256}, "cold_permille is 256, 0 to 255"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_what_the_runtime_would_refuse_is_refused(changes: dict[str, object], message: str) -> None:
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    with pytest.raises(FirmwareGenError, match=message):
        plan.pack(3)


def test_what_is_packed_the_runtime_takes(check: Check) -> None:
    packed = PLAN.pack(3)
    assert len(packed) == 56
    assert check(packed) == 0
    assert check(replace(PLAN, life_s=0, harvest_q8=1).pack(3)) == 0
    gated = replace(PLAN, points=(Point(100, MODE_GATED, 40),))
    assert check(gated.pack(3, gated=True)) == 0
    most = replace(PLAN, points=tuple(Point(n, 0) for n in range(1, 9)), unit_shift=MAX_UNIT_SHIFT)
    assert check(replace(most, sleep_q8=MAX_SLEEP_Q8).pack(3)) == 0


def test_the_runtime_refuses_what_is_damaged(check: Check) -> None:
    packed = PLAN.pack(3)
    for offset, value in ((23, 0), (23, MAX_POINTS + 1), (21, 24), (22, 64), (16, 0xFF), (18, 0), (24, 0), (28, 1)):
        damaged = bytearray(packed)
        damaged[offset] = value
        if offset in (16, 18, 24, 28):
            damaged[offset + 1] = 0 if offset != 16 else 0xFF
        assert check(bytes(damaged)) == -12, (offset, value)


def test_policy_and_plan_take_at_most_so_many_bytes() -> None:
    assert len(even_policy(3).pack(3)) + len(PLAN.pack(3)) <= TABLE_BYTES


def test_the_limits_are_those_of_the_header() -> None:
    header = (INCLUDE / "dimmer_governor.h").read_text()
    for name, value in (("POINTS", MAX_POINTS), ("UNIT_SHIFT", MAX_UNIT_SHIFT), ("SLEEP_Q8", MAX_SLEEP_Q8)):
        assert re.search(rf"#define DIMMER_MAX_{name}\s+{value}u", header)


def test_reports_expected_and_cold_are_in_the_runtime_s_units() -> None:
    minutely = replace(PLAN, period_ms=60_000, report_s=600, cold_permille=100)
    assert (minutely.wanted_q8, minutely.cold_q6) == (2560, 64)
    assert replace(PLAN, period_ms=0xFFFF_FFFF, report_s=1).wanted_q8 == 1
    assert replace(PLAN, period_ms=1, report_s=0xFFFF).wanted_q8 == 0x7FFF_FFFF
    # Rounded to the side of more reserve, and the most fits a byte.
    assert (replace(PLAN, cold_permille=1).cold_q6, replace(PLAN, cold_permille=255).cold_q6) == (1, 164)


def test_a_plan_is_part_of_the_model_and_of_its_crc(tmp_path: Path) -> None:
    plan = replace(PLAN, harvest_q8=9000, low_q6=26)
    modes, policy = write_modes(tmp_path), even_policy(3)
    without = tables_of(modes, policy)
    tables = tables_of(modes, replace(policy, plan=plan))
    assert tables.crc == zlib.crc32(plan.pack(3), without.crc)
    generate(modes, tmp_path / "out", replace(policy, plan=plan), name="lamp")
    source = tmp_path / "out" / "dimmer_lamp.c"
    text = source.read_text()
    assert ".life_s = 86400u, /* 1 days */" in text
    assert "    &dimmer_lamp_plan," in text
    assert ".low_q6 = 26" in text
    for compiler in ("gcc", "clang"):
        subprocess.run([compiler, *STRICT, f"-I{INCLUDE}", "-fsyntax-only", str(source)], check=True)
