"""What `firmware.json` tells of a firmware, and the same as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.core.command import console
from dimmer.pipeline.image.elf_shares import elf_shares
from dimmer.targets import Target

if TYPE_CHECKING:
    from dimmer.pipeline.image.compiled import Compiled
    from dimmer.pipeline.image.order import Order


def figures_of(
    order: Order,
    target: Target,
    full: Compiled,
    top: Compiled,
    events: Sequence[Mapping[str, Any]],
    verification: Mapping[str, Mapping[str, Any]],
    runtime_files: set[str],
) -> dict[str, Any]:
    """The content of `firmware.json`, but for what was left out.

    Args:
        top: the firmware of the first mode alone.
        events: that the firmware wrote.
        verification: mode -> samples, mismatches, backend; empty where `pipeline.verify` does that.
        runtime_files: names of the library's C files.
    """
    model, sizes, shares = full.model, full.sizes, elf_shares(full.elf, runtime_files)
    instructions = {event["mode"]: event["instructions"] for event in events if event["event"] == "bench"}
    switch = next((event["instructions"] for event in events if event["event"] == "switch"), None)
    gates = next((event["instructions"] for event in events if event["event"] == "gates"), None)
    stack = next((event["bytes"] for event in events if event["event"] == "stack"), None)
    extra = len(model.modes) - 1
    notes: dict[str, str] = {}
    if not target.counts_instructions:
        reason = f"{target.name} has no instruction counter"
        notes |= {"modes[*].instructions": reason, "switch.instructions": reason}
    if not extra:
        notes["switch.bytes_of_flash_per_extra_mode"] = "there is only one mode"
    if stack is None:
        notes |= {"ram.stack": f"{target.name} cannot paint its stack", "ram.total": "the stack is not known"}
    if not verification:
        notes["modes[*].verify"] = "left to pipeline.verify"
    return {
        "model": order.name,
        "target": target.name,
        "flash": {
            "weights": shares.weights,
            "tables": shares.tables,
            "code": full.flash - shares.weights - shares.tables,
            "total": full.flash,
            "single_mode_total": top.flash,
            "runtime_code": shares.runtime_code,
        },
        "ram": {
            "arena": model.arena,
            "scratch": model.memory.scratch,
            "stack": stack,
            "total": None if stack is None else sizes.data + sizes.bss + stack,
            "single_mode_arena": top.model.arena,
            "lower_bound": model.lower_bound,
            "arena_without_scratch": model.memory.arena_without_scratch,
        },
        "switch": {
            "instructions": switch if target.counts_instructions else None,
            "bytes_of_flash_per_extra_mode": (full.flash - top.flash) / extra if extra else None,
        },
        "gates": None
        if order.gates is None
        else {
            "instructions": gates,
            "share_of_top_mode": gates / instructions[model.modes[0]] if gates else None,
        },
        "modes": [
            {
                "name": name,
                "macs": macs,
                "instructions": instructions.get(name),
                "verify": verification.get(name),
            }
            for name, macs in zip(model.modes, model.macs, strict=True)
        ],
        "policy": [
            {
                "mode": "gated" if tier.mode == MODE_GATED else model.modes[tier.mode],
                "min_charge_permille": tier.min_charge_permille,
                "min_millivolts": tier.min_millivolts,
                "hysteresis_permille": order.policy.hysteresis_permille,
                "dwell_s": order.policy.dwell_s,
            }
            for tier in order.policy.tiers
        ],
        "buffers": [{**asdict(buffer), "mode": model.modes[buffer.mode]} for buffer in model.buffers],
        "layers": [
            {
                "layer": f"{constant.layer}: {constant.role}",
                "bytes": constant.size,
                "modes": [model.modes[mode] for mode in constant.modes],
            }
            for constant in model.constants
        ],
        "steps": [
            {"mode": event["mode"], **asdict(model.steps[event["step"]]), "instructions": event["instructions"]}
            for event in events
            if event["event"] == "layer"
        ],
        "choices": [
            {**asdict(choice), "others": [asdict(other) for other in choice.others]} for choice in model.choices
        ],
        "notes": notes,
    }


def print_figures(figures: Mapping[str, Any]) -> None:
    """The figures as tables on the terminal."""
    from rich.table import Table

    def text(value: float | None) -> str:
        return "-" if value is None else f"{value:,.0f}"

    terminal = console()
    modes = Table(title=f"{figures['model']} on {figures['target']}", title_justify="left", title_style="bold")
    for heading in ("mode", "MACs", "instructions", "mismatches"):
        modes.add_column(heading, justify="left" if heading == "mode" else "right")
    for mode in figures["modes"]:
        verify = mode["verify"]
        compared = "-" if verify is None else f"{verify['mismatches']} of {verify['samples']}"
        modes.add_row(mode["name"], text(mode["macs"]), text(mode["instructions"]), compared)
    terminal.print(modes)
    flash, ram, switch = figures["flash"], figures["ram"], figures["switch"]
    lines = (
        f"flash   {text(flash['total'])} = weights {text(flash['weights'])} + tables {text(flash['tables'])} + "
        f"code {text(flash['code'])} (runtime and kernels {text(flash['runtime_code'])})",
        f"        {text(flash['single_mode_total'])} with the top mode alone; "
        f"{text(switch['bytes_of_flash_per_extra_mode'])} bytes an extra mode",
        f"arena   {text(ram['arena'])}, lower bound {text(ram['lower_bound'])}; without scratch "
        f"{text(ram['arena_without_scratch'])}; top mode alone {text(ram['single_mode_arena'])}",
        f"stack   {text(ram['stack'])}; a switch takes {text(switch['instructions'])} instructions",
    )
    for line in lines:
        terminal.print(line, highlight=False, soft_wrap=True)
