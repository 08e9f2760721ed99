# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/fleet.md: how surely a stage of a rollout finds a bad model, and what telemetry costs.

    python -m benchmarks.fleet

Binomial and normal statistics and the air time of LoRa's packets, computed; currents are their makers' figures. Nothing
here was measured by Dimmer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

STAGES = (100, 1_000, 10_000, 88_900)
"""Devices of each stage of a fleet of 100,000."""

HEALTHY, ALARM = 0.001, 0.01
"""Share of devices that fail an update for reasons of their own; how often a stage may stop for these alone."""

RECORD = {
    "model version, mode table's CRC": 6,
    "uptime, resets": 6,
    "charge, predicted end in days": 4,
    "inferences in each of 8 modes": 16,
    "confidence, 8 bins of the top score": 8,
    "failed checks, switches refused": 4,
}
"""Bytes of a day's telemetry."""

LORA_MA, LORA_V = 25.5, 3.3
"""An SX1261 at +14 dBm with its DC-DC converter (Semtech, SX1261/2 data sheet)."""
BLE_MA, BLE_V = 4.8, 3.0
"""An nRF52840 at 0 dBm with its DC-DC converter (Nordic, product specification)."""
BLE_EVENT_MS = 1.2
"""One advertisement on three channels with a short payload."""
INFERENCE_MJ = 3.8
"""The cheapest mode of README's first table."""
ERASE_MA, ERASE_MS, PAGE = 4.0, 85.0, 4096
"""A page of the nRF52840's flash: Nordic's time, and the current that Nordic's support measured."""


@dataclass(frozen=True)
class Stage:
    """What one stage of a rollout tells.

    Attributes:
        devices: that it has.
        threshold: failed devices from which on it stops the rollout.
        found: share of failing devices that stops it in 99 of 100 cases.
        excluded: share that a stage without any failure excludes with 95 %.
    """

    devices: int
    threshold: int
    found: float
    excluded: float


def stage(devices: int) -> Stage:
    """The smallest threshold that healthy devices reach in at most ALARM of all rollouts, and its power.

    Example:
        >>> stage(1000).threshold
        5
    """
    threshold = next(k for k in range(1, devices + 2) if at_least(k, devices, HEALTHY) <= ALARM)
    low, high = HEALTHY, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if at_least(threshold, devices, middle) >= 0.99 else (middle, high)
    return Stage(devices, threshold, high, 1 - 0.05 ** (1 / devices))


def at_least(count: int, devices: int, share: float) -> float:
    """Probability that at least `count` of the devices fail.

    Example:
        >>> at_least(1, 2, 0.5)
        0.75
    """
    if count <= 0:
        return 1.0
    if share >= 1:
        return 1.0 if count <= devices else 0.0
    logs = (
        math.lgamma(devices + 1)
        - math.lgamma(k + 1)
        - math.lgamma(devices - k + 1)
        + k * math.log(share)
        + (devices - k) * math.log1p(-share)
        for k in range(min(count, devices + 1))
    )
    return max(0.0, 1.0 - math.fsum(math.exp(log) for log in logs))


def devices_to_see(points: float, sd: float = 0.25, inferences: int = 1000, within: float = 0.05) -> int:
    """Devices on each side, old model and new, that show a change of mean confidence in 99 of 100 cases at 1 % alarms.

    Args:
        points: change of the mean top score, 0..1.
        sd: standard deviation of one inference's top score.
        inferences: of a device in the time looked at.
        within: standard deviation of the mean between devices, which see different things.
    """
    z = 2.326348 + 2.326348
    variance = within**2 + sd**2 / inferences
    return math.ceil(2 * variance * (z / points) ** 2)


def lora_seconds(payload: int, spreading: int, bandwidth_hz: float = 125_000.0) -> float:
    """Air time of an uplink, after Semtech's AN1200.13: explicit header, CRC, coding rate 4/5, preamble of 8.

    Args:
        payload: bytes of the application; LoRaWAN adds 13.

    Example:
        >>> round(lora_seconds(51, 7), 4)
        0.118
    """
    symbol = (1 << spreading) / bandwidth_hz
    slow = 1 if symbol > 0.016 else 0
    bits = 8 * (payload + 13) - 4 * spreading + 28 + 16
    symbols = 8 + max(0, math.ceil(bits / (4 * (spreading - 2 * slow)))) * 5
    return (8 + 4.25 + symbols) * symbol


def tables() -> Iterator[str]:
    """The tables, as Markdown."""
    yield "| stage | devices | stops from | finds, 99 of 100 | without a failure excludes, 95 % |"
    yield "|---|---|---|---|---|"
    for number, found in enumerate(map(stage, STAGES), 1):
        share, excluded = f"{100 * found.found:.2g} % failing or more", f"over {100 * found.excluded:.2g} %"
        yield f"| {number} | {found.devices:,} | {found.threshold:,} failed | {share} | {excluded} |"
    yield ""
    yield "| change of the mean top score | devices on each side |"
    yield "|---|---|"
    for points in (0.05, 0.02, 0.01, 0.005):
        yield f"| {100 * points:g} points | {devices_to_see(points):,} |"
    yield ""
    size = sum(RECORD.values())
    yield f"| a day's record of {size} bytes | time on air | energy | of 1,000 inferences at {INFERENCE_MJ} mJ |"
    yield "|---|---|---|---|"
    for spreading in (7, 9, 12):
        seconds = lora_seconds(size, spreading)
        yield _row(f"LoRaWAN, SF{spreading}, +14 dBm", seconds, seconds * LORA_MA * LORA_V)
    seconds = 2 * BLE_EVENT_MS / 1000  # 31 bytes an advertisement
    yield _row("two BLE advertisements, 0 dBm", seconds, seconds * BLE_MA * BLE_V)
    yield ""
    yield "| an update of 199,000 bytes | time | energy |"
    yield "|---|---|---|"
    seconds = 199_000 * 8 / 300_000
    yield f"| BLE at 300 kbit/s | {seconds:,.0f} s | {seconds * BLE_MA * BLE_V:,.0f} mJ |"
    pages = math.ceil(199_000 / PAGE)
    erase = pages * ERASE_MS / 1000
    yield f"| erasing {pages} pages of flash | {erase:,.1f} s | {erase * ERASE_MA * BLE_V:,.0f} mJ |"
    packets = math.ceil(199_000 / 222)
    yield f"| LoRaWAN multicast at SF7, {packets:,} packets of 222 bytes received at 4.2 mA | " + (
        f"{packets * lora_seconds(222, 7):,.0f} s | {packets * lora_seconds(222, 7) * 4.2 * LORA_V:,.0f} mJ |"
    )


def _row(name: str, seconds: float, millijoules: float) -> str:
    milliseconds = 1000 * seconds
    time = f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}"
    return f"| {name} | {time} ms | {millijoules:,.3g} mJ | {100 * millijoules / (1000 * INFERENCE_MJ):.2g} % |"


if __name__ == "__main__":
    print("\n".join(tables()))
