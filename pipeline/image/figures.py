# SPDX-License-Identifier: Apache-2.0
"""What `firmware.json` tells of a firmware, and the same as tables on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.pipeline.artifacts.cycles import CyclesSource, cycles_lines, cycles_text
from dimmer.pipeline.artifacts.firmware import (
    ArenaBuffer,
    Firmware,
    FirmwareFlash,
    FirmwareMode,
    FirmwareRam,
    GateCount,
    KernelChoice,
    KernelOption,
    LayerConstant,
    LeftOut,
    PolicyTier,
    Step,
    Switch,
    Verification,
)
from dimmer.pipeline.core.command import console
from dimmer.pipeline.image.cycles import Modelled
from dimmer.pipeline.image.elf_shares import elf_shares
from dimmer.pipeline.image.events import (
    Event,
    GatesCounted,
    ModeCounted,
    StackUsed,
    StepCounted,
    SwitchCounted,
    only,
)
from dimmer.pipeline.image.stack import unproven
from dimmer.targets import Target
from dimmer.targets.counter import uncounted
from dimmer.targets.timing.run import guess_of

if TYPE_CHECKING:
    from dimmer.firmware_gen.emit.policy import PolicyConfig
    from dimmer.firmware_gen.generate import GeneratedModel
    from dimmer.pipeline.image.compiled import Compiled
    from dimmer.pipeline.image.order import Order


CYCLES = ("modes[*].cycles", "modes[*].cycles_source")
"""Places of notes on cycles."""


@dataclass(frozen=True)
class Ran:
    """What a compiled firmware said and did.

    Attributes:
        events: of its commands `bench` and `layers`.
        verification: mode -> against the interpreter; empty where `pipeline.verify` does that.
        modelled: cycles, where the core does not count them itself.
        counter: name of the target that counted; None where none did, and the counts mean nothing.
    """

    events: tuple[Event, ...]
    verification: Mapping[str, Verification] = field(default_factory=dict)
    modelled: Modelled = field(default_factory=Modelled)
    counter: str | None = None


@dataclass(frozen=True)
class Judged:
    """What the counts on the target say of the published modes.

    Attributes:
        left_out: modes that are not in the firmware.
        policy: how its thresholds were come by, and which modes it never chooses and why; empty where that is plain.
        governor: what the governor chooses from and why; empty where the recipe wants none.
    """

    left_out: tuple[LeftOut, ...] = ()
    policy: str = ""
    governor: str = ""


def figures_of(
    order: Order,
    target: Target,
    full: Compiled,
    top: Compiled,
    ran: Ran,
    judged: Judged,
    runtime_files: Collection[str],
) -> Firmware:
    """The content of `firmware.json`.

    Args:
        top: the firmware of the first mode alone.
        runtime_files: names of the library's C files.
    """
    model, sizes, shares = full.model, full.sizes, elf_shares(full.elf, runtime_files, full.model.symbol)
    counted = only(ModeCounted, ran.events)
    instructions = {event.mode: event.instructions for event in counted}
    cycles = {event.mode: found for event, found in zip(counted, _cycles(counted, ran.modelled.modes), strict=True)}
    switch = next((event.instructions for event in only(SwitchCounted, ran.events)), None)
    gates = next((event.instructions for event in only(GatesCounted, ran.events)), None)
    stack = next((event.bytes for event in only(StackUsed, ran.events)), None)
    proven = full.stack or unproven("nobody asked for it")
    whole = instructions.get(model.modes[0])
    extra = len(model.modes) - 1
    return Firmware(
        model=order.name,
        target=target.name,
        flash=FirmwareFlash(
            weights=shares.weights,
            tables=shares.tables,
            code=full.flash - shares.weights - shares.tables,
            total=full.flash,
            single_mode_total=top.flash,
            runtime_code=shares.runtime_code,
        ),
        ram=FirmwareRam(
            arena=model.arena,
            scratch=model.memory.scratch,
            stack=stack,
            total=None if stack is None else sizes.data + sizes.bss + stack,
            single_mode_arena=top.model.arena,
            lower_bound=model.lower_bound,
            arena_without_scratch=model.memory.arena_without_scratch,
            state=model.state_bytes,
        ),
        stack=proven.figures,
        switch=Switch(
            instructions=switch if ran.counter is not None else None,
            bytes_of_flash_per_extra_mode=(full.flash - top.flash) / extra if extra else None,
        ),
        gates=None if order.gates is None else GateCount(gates, gates / whole if gates and whole else None),
        modes=tuple(
            FirmwareMode(
                name, macs, instructions.get(name), ran.verification.get(name), *cycles.get(name, (None, None))
            )
            for name, macs in zip(model.modes, model.macs, strict=True)
        ),
        policy=policy_tiers(order.policy, model.modes),
        buffers=tuple(ArenaBuffer(**{**asdict(buffer), "mode": model.modes[buffer.mode]}) for buffer in model.buffers),
        layers=tuple(
            LayerConstant(f"{c.layer}: {c.role}", c.size, tuple(model.modes[mode] for mode in c.modes))
            for c in model.constants
        ),
        steps=_steps(model, only(StepCounted, ran.events), ran.modelled),
        choices=_choices(model),
        notes=_notes(target, ran, judged, modes=len(model.modes), stack_known=stack is not None) | dict(proven.notes),
        left_out=judged.left_out,
        governor=() if (plan := order.policy.plan) is None else tuple(model.modes[point.mode] for point in plan.points),
    )


def policy_tiers(policy: PolicyConfig, modes: Sequence[str]) -> tuple[PolicyTier, ...]:
    """A policy with the modes' names in the place of their numbers; "gated" for the gates."""
    return tuple(
        PolicyTier(
            "gated" if tier.mode == MODE_GATED else modes[tier.mode],
            tier.min_charge_permille,
            tier.min_millivolts,
            policy.hysteresis_permille,
            policy.dwell_s,
        )
        for tier in policy.tiers
    )


def _steps(model: GeneratedModel, events: Sequence[StepCounted], modelled: Modelled) -> tuple[Step, ...]:
    found = []
    spent = modelled.spent or ({},) * len(events)
    for event, cycles, shares in zip(events, _cycles(events, modelled.steps), spent, strict=True):
        step = model.steps[event.step]
        found.append(Step(event.mode, step.layer, step.kernel, step.macs, event.instructions, *cycles, shares))
    return tuple(found)


def _cycles(
    events: Sequence[ModeCounted | StepCounted], modelled: Sequence[int]
) -> list[tuple[int | None, CyclesSource | None]]:
    """Cycles of each event and where they come from: those that the core counted, else those of the model."""
    found: list[tuple[int | None, CyclesSource | None]] = []
    for number, event in enumerate(events):
        if event.cycles is not None:
            found.append((event.cycles, "rtl"))
        else:
            found.append((modelled[number], "model") if modelled else (None, None))
    return found


def _choices(model: GeneratedModel) -> tuple[KernelChoice, ...]:
    found = []
    for choice in model.choices:
        chosen, *others = (
            KernelOption(option.kernel, option.scratch, option.instructions)
            for option in (choice.chosen, *choice.others)
        )
        found.append(KernelChoice(choice.layer, chosen, choice.allowed, tuple(others)))
    return tuple(found)


def _notes(target: Target, ran: Ran, judged: Judged, modes: int, stack_known: bool) -> dict[str, str]:
    notes: dict[str, str] = {}
    if ran.counter is None:
        reason = uncounted(target)
        notes |= {"modes[*].instructions": reason, "switch.instructions": reason}
    else:
        if ran.counter != target.name:
            reason = f"counted on {ran.counter}, whose core runs the same code but for the start-up"
            notes |= {"modes[*].instructions": reason, "switch.instructions": reason}
        # A firmware that is the user's own, or an emulator's plug-in that died.
        reason = f"the firmware told no count, though {ran.counter} can count"
        counted = only(ModeCounted, ran.events)
        if len(counted) < modes or any(event.instructions is None for event in counted):
            notes["modes[*].instructions"] = reason
        if all(event.instructions is None for event in only(SwitchCounted, ran.events)):
            notes["switch.instructions"] = reason
    measured = sum(event.cycles is not None for event in only(ModeCounted, ran.events))
    if measured < modes:
        notes |= dict.fromkeys(CYCLES[:1] if ran.modelled.modes else CYCLES, ran.modelled.note)
    # A layer's figures are null for the reasons of its mode's.
    notes |= {f"steps{place.removeprefix('modes')}": why for place, why in notes.items() if place.startswith("modes")}
    if modes == 1:
        notes["switch.bytes_of_flash_per_extra_mode"] = "there is only one mode"
    if not stack_known:
        notes |= {"ram.stack": f"{target.name} cannot paint its stack", "ram.total": "the stack is not known"}
    if not ran.verification:
        notes["modes[*].verify"] = "left to pipeline.verify"
    elif target.runner.samples in {verified.samples for verified in ran.verification.values()}:
        few = f"{target.runner.samples} inputs of a mode, since each inference takes long on {target.name}"
        notes["modes[*].verify"] = f"{few} (samples in its target.toml); --samples compares more"
    if judged.governor:
        notes["governor"] = judged.governor
    if judged.policy:
        notes["policy"] = judged.policy
    return notes


def print_figures(figures: Firmware) -> None:
    """The figures as tables on the terminal."""
    from rich.table import Table

    def text(value: float | None) -> str:
        return "-" if value is None else f"{value:,.0f}"

    terminal = console()
    modes = Table(title=f"{figures.model} on {figures.target}", title_justify="left", title_style="bold")
    for heading in ("mode", "MACs", "instructions", "cycles", "mismatches"):
        modes.add_column(heading, justify="left" if heading == "mode" else "right")
    for mode in figures.modes:
        compared = "-" if mode.verify is None else f"{mode.verify.mismatches} of {mode.verify.samples}"
        modes.add_row(mode.name, text(mode.macs), text(mode.instructions), cycles_text(mode), compared)
    terminal.print(modes)
    if all(mode.verify is None for mode in figures.modes):
        terminal.print("compared with the interpreter: nothing", highlight=False)
    for line in cycles_lines(figures.modes, guess_of(figures.target)):
        terminal.print(line, highlight=False, soft_wrap=True)
    flash, ram, switch = figures.flash, figures.ram, figures.switch
    own = figures.stack.entry("dimmer_invoke")
    invoke = "" if own is None else f", dimmer_invoke by itself {own:,}"
    lines = (
        f"flash   {text(flash.total)} = weights {text(flash.weights)} + tables {text(flash.tables)} + "
        f"code {text(flash.code)} (runtime and kernels {text(flash.runtime_code)})",
        f"        {text(flash.single_mode_total)} with the top mode alone; "
        f"{text(switch.bytes_of_flash_per_extra_mode)} bytes an extra mode",
        f"arena   {text(ram.arena)}, lower bound {text(ram.lower_bound)}; without scratch "
        f"{text(ram.arena_without_scratch)}; top mode alone {text(ram.single_mode_arena)}"
        + (f"; {text(ram.state)} of state, which last" if ram.state else ""),
        f"stack   {figures.stack.text(ram.stack)}{invoke}; a switch takes {text(switch.instructions)} instructions",
    )
    for line in lines:
        terminal.print(line, highlight=False, soft_wrap=True)
