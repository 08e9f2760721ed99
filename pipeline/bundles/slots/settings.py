# SPDX-License-Identifier: Apache-2.0
"""Records of settings, as `dimmer_settings.h` reads them: thresholds, plan and duty without a new model."""

from __future__ import annotations

import hashlib
import struct
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.firmware_gen.emit.policy import STALE_INFERENCES, STALE_S, PolicyConfig, Tier
from dimmer.pipeline.bundles.slots.signing import Key

MAGIC, SIZE = 0x534D4D44, 160
POLICY, PLAN, DUTY = 1, 2, 4
_POLICY_SIZE, _PLAN_SIZE = 64, 56
_STALE = {"stale_s": STALE_S, "stale_inferences": STALE_INFERENCES}


@dataclass(frozen=True)
class Settings:
    """What a record says; what is None stays as the model was generated.

    Attributes:
        sequence: a device takes none that is not higher than the one it holds.
        mode_count: of the model.
        gated: whether the model has gates.
        model_crc: of the model that it is for, as its `.crc` says; 0 for any that has the modes.
        period_ms: from one inference to the next.
    """

    sequence: int
    mode_count: int
    gated: bool = False
    model_crc: int = 0
    policy: PolicyConfig | None = None
    plan: PlanConfig | None = None
    period_ms: int | None = None


def pack(settings: Settings, key: Key | None = None) -> bytes:
    """The bytes of a record: 160, or 256 with a signature.

    Raises:
        FirmwareGenError: a number that the runtime would refuse.
        DimmerError: nothing is set, or a number does not fit.
    """
    parts = (settings.policy is not None) * POLICY + (settings.plan is not None) * PLAN
    parts += (settings.period_ms is not None) * DUTY
    if not parts:
        raise DimmerError("the settings are empty: give [policy], [plan] or [duty]")
    policy = b"" if settings.policy is None else settings.policy.pack(settings.mode_count, settings.gated)
    plan = b"" if settings.plan is None else settings.plan.pack(settings.mode_count, settings.gated)
    numbers = (MAGIC, SIZE, settings.sequence, settings.model_crc, parts, settings.period_ms or 0, 0, 0)
    try:
        head = struct.pack("<8I", *numbers)
    except struct.error as error:
        raise DimmerError(f"the settings have a number of more than 32 bits ({error})") from error
    body = head + policy.ljust(_POLICY_SIZE, b"\0") + plan.ljust(_PLAN_SIZE, b"\0") + bytes(4)
    record = body + struct.pack("<I", zlib.crc32(body))
    if key is None:
        return record
    return record + key.key_hash + key.sign(hashlib.sha256(record).digest())


def read_settings(path: Path, sequence: int, mode_count: int, gated: bool = False, model_crc: int = 0) -> Settings:
    """Reads a TOML file with [policy], [plan] and [duty]; keys are the fields of PolicyConfig and PlanConfig.

    Where [policy] does not say when reports are too old, it is as in a recipe: `STALE_S` and `STALE_INFERENCES`.

    Raises:
        DimmerError: it cannot be read, or a key is unknown, missing or of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DimmerError(f"{path} cannot be read: {error}") from error
    if unknown := table.keys() - {"policy", "plan", "duty"}:
        raise DimmerError(f"{path} has {', '.join(sorted(unknown))}: known are policy, plan and duty")
    duty = table.get("duty")
    return Settings(
        sequence,
        mode_count,
        gated,
        model_crc,
        None if "policy" not in table else _made(path, "policy", PolicyConfig, table["policy"], "tiers", Tier, _STALE),
        None if "plan" not in table else _made(path, "plan", PlanConfig, table["plan"], "points", Point, {}),
        None if duty is None else _period(path, duty),
    )


def _period(path: Path, duty: object) -> int:
    period = duty.get("period_ms") if isinstance(duty, dict) and len(duty) == 1 else None
    if type(period) is not int or not 0 < period <= 0xFFFF_FFFF:
        raise DimmerError(f"{path}: [duty] has one key, period_ms, a whole number of milliseconds")
    return period


def _made(path: Path, name: str, kind: Any, table: object, rows: str, row: Any, unsaid: Mapping[str, int]) -> Any:
    if not isinstance(table, dict):
        raise DimmerError(f"{path}: [{name}] is no table")
    values = {**unsaid, **table}
    listed = values.pop(rows, [])
    numbers = [
        value
        for each in ([values, *listed] if isinstance(listed, list) else [values])
        for value in (each.values() if isinstance(each, dict) else [each])
    ]
    if not isinstance(listed, list) or any(type(number) is not int for number in numbers):
        raise DimmerError(f"{path}: [{name}] has whole numbers, and a list of tables [[{name}.{rows}]] of such")
    try:
        return kind(**values, **{rows: tuple(row(**each) for each in listed)})
    except TypeError as error:
        known = ", ".join(field for field in kind.__dataclass_fields__ if field != "plan")
        raise DimmerError(
            f"{path}: [{name}] is not complete or has an unknown key ({error}); known: {known}"
        ) from error
