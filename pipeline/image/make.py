"""A firmware made, run and measured; modes judged by what they cost on the target."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dimmer.calibration.selection import on_target
from dimmer.firmware_gen.library import sources
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.firmware import RESULT
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.figures import figures_of
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.records import _check_known_answers, _run, verify_modes
from dimmer.targets import Target


def make(
    order: Order,
    target: Target,
    out: Path,
    progress: Progress,
    left_out: Sequence[Mapping[str, Any]] = (),
    idle: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Writes the firmware of all modes and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        left_out: modes that are not among the order's, for the record.
        idle: mode that the policy does not use -> the one that is better there, for the record.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `compile_modes`.
    """
    progress("generating and compiling", 0.0)
    if len(order.modes) > 1:
        with tempfile.TemporaryDirectory() as single, ThreadPoolExecutor(2) as pool:
            alone = pool.submit(compile_modes, order, order.modes[:1], target, Path(single))
            full = compile_modes(order, order.modes, target, out)
            top = alone.result()
    else:
        full = top = compile_modes(order, order.modes, target, out)
    progress("self-test and bench", 0.3)
    _check_known_answers(target, full, out)
    events = [
        event
        for command in ("bench", "layers")
        for event in _run(target, full.elf, [command], out, count=target.counts_instructions)
    ]
    verification: dict[str, dict[str, Any]] = {}
    if order.samples:
        verification = verify_modes(order, target, full, progress)
    runtime_files = {path.name for path in sources()}
    figures = figures_of(order, target, full, top, events, verification, runtime_files)
    figures["left_out"] = list(left_out)
    if idle:
        text = ", ".join(
            f"{mode} ({better} takes fewer instructions and predicts no worse)" for mode, better in idle.items()
        )
        figures["notes"]["policy"] = f"in flash, but not in the policy: {text}"
    atomic_write(out / RESULT, json.dumps(figures, indent=1) + "\n")
    return figures


def judge(
    order: Order, calibration: Calibration, target: Target, progress: Progress
) -> tuple[dict[str, str], dict[str, int]]:
    """Counts every mode on the target.

    Returns:
        (mode -> why it is not worth running there, mode -> instructions); nothing where all blocks have 8 bits, as then
        fewer operations are fewer instructions, or where the target cannot count.
    """
    names = [mode.name for mode in order.modes]
    narrow = any(bits in name for name in names for bits in "42")
    if not narrow or not target.counts_instructions:
        return {}, {}
    progress("counting the modes", 0.0)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        events = _run(target, compile_modes(order, order.modes, target, work).elf, ["bench"], work, count=True)
    counted = {event["mode"]: event["instructions"] for event in events if event["event"] == "bench"}
    return on_target(names, counted, {name: calibration.mode(name)["accuracy"] for name in names}), counted
