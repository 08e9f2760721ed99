# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON that devices say of an inference: a board's product, the application of an emulator,
dimmer-run, and what the journal of a Linux board has of that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dimmer.pipeline.core.documents import DocumentError, from_json

_INFERENCES = ("inference", "battery", "result")
_LONGEST = 200
"""Characters of a text that are kept: a device may say anything, and a terminal and a page show it."""
_JOURNAL = {
    "DIMMER_CLASS": "class",
    "DIMMER_SCORE": "score",
    "DIMMER_LATENCY_US": "latency_us",
    "DIMMER_CHARGE_PERMILLE": "charge_permille",
}
"""Fields of dimmer-run's entries in a journal -> those of its lines."""
_ERRORS = ("0", "1", "2", "3")
"""Syslog's priorities that are no warnings."""
_RANGES = {
    "charge_permille": (0, 1000),
    "millivolts": (0, 1_000_000),
    "predicted": (-(2**31), 2**31 - 1),
    "score": (-(2**31), 2**31 - 1),
}


@dataclass(frozen=True)
class Seen:
    """An inference, or one that was left out.

    Attributes:
        mode: None where the governor left it out.
        time_s: of the device's clock; None where it tells none.
        charge_permille: of the battery; None where its gauge does not tell.
        latency_us: None where the device tells none.
        predicted: the class.
        score: of it, a code.
        life_s: seconds until only the reserve is left, as the device predicts it.
        written_s: when a journal took it, in seconds since 1970; None where it comes straight from the device.
    """

    mode: str | None
    time_s: float | None = None
    charge_permille: int | None = None
    millivolts: int | None = None
    latency_us: float | None = None
    predicted: int | None = None
    score: int | None = None
    life_s: float | None = None
    written_s: float | None = None


@dataclass(frozen=True)
class Told:
    """What a device tells besides, such as an error."""

    message: str = ""
    bytes: int = 0


def read_line(text: str) -> Seen | Told | None:
    """One line; of texts what can be printed, shortened.

    Returns:
        None for an event that tells of no inference.

    Raises:
        ValueError: it is no JSON, or (as `DocumentError`) no line of a device.
    """
    try:
        table = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if isinstance(table, dict) and isinstance(table.get("MESSAGE"), str) and "event" not in table:
        return _of_journal(table)
    kind = table.get("event") if isinstance(table, dict) else None
    if not isinstance(kind, str):
        raise DocumentError("it is no event of a device")
    if kind == "error":
        return Told(_shown(from_json(Told, table).message))
    if kind == "skipped":
        return Told(_shown(f"{from_json(Told, table).bytes:,} bytes that were no frame were skipped"))
    if kind not in _INFERENCES:
        return None
    # A word of Python's is no name of a field.
    seen = from_json(Seen, {**table, "predicted": table.get("class")})
    for name, (least, most) in _RANGES.items():
        number: int | None = getattr(seen, name)
        if number is not None and not least <= number <= most:
            raise DocumentError(f"{name} is {number}, not {least} to {most}")
    for name in ("time_s", "latency_us", "life_s", "written_s"):
        value: float | None = getattr(seen, name)
        # NaN and infinity are no numbers of JSON, and Python reads them.
        if value is not None and not 0 <= value < 1e15:
            raise DocumentError(f"{name} is {value}, not a number from 0 on")
    return seen if seen.mode is None else replace(seen, mode=_shown(seen.mode))


def _of_journal(entry: Mapping[str, object]) -> Seen | Told | None:
    """An entry of systemd's journal, as `journalctl -o json` writes it: each of its fields is a text."""
    said = _said_in_journal(entry)
    written = re.fullmatch("[0-9]{1,20}", str(entry.get("__REALTIME_TIMESTAMP")))
    return replace(said, written_s=int(written[0]) / 1e6) if isinstance(said, Seen) and written else said


def _said_in_journal(entry: Mapping[str, object]) -> Seen | Told | None:
    message = str(entry["MESSAGE"])
    if message.startswith("{"):
        return read_line(message)
    if "DIMMER_SKIPPED" in entry or entry.get("PRIORITY") in _ERRORS:
        return Told(_shown(message))
    if "DIMMER_MODE" not in entry:
        return None
    numbers = {name: json.loads(str(entry[key])) for key, name in _JOURNAL.items() if key in entry}
    return read_line(json.dumps({"event": "result", "mode": entry["DIMMER_MODE"], **numbers}))


def _shown(text: str) -> str:
    """A device's text, without what moves a terminal's cursor or colours it."""
    return "".join(one if one.isprintable() else "?" for one in text[:_LONGEST])
