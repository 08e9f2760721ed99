# SPDX-License-Identifier: Apache-2.0
"""What the firmware stage leaves: firmware.elf (.hex, .bin), the generated C, and `firmware.json`.

model, target                        names
flash     weights, tables, code, total, single_mode_total, runtime_code         bytes
ram       arena, scratch, stack, total, single_mode_arena, lower_bound, arena_without_scratch, state      bytes
stack     proven, before_hook, exception_frame  bytes; entries and kernels: [{name, bytes, path}]
switch    instructions, bytes_of_flash_per_extra_mode
gates     instructions of all gates in one inference, share_of_top_mode; null without gates
modes     [{name, macs, instructions, verify, cycles, cycles_source}]; verify is {samples, mismatches, backend,
reference} or null; cycles_source is "rtl", "model" or null
policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
buffers   [{mode, name, offset, size, first_step, last_step, within}]; within names the buffer that a tensor is a
slice of, and is empty where it has bytes of its own
layers    [{layer, bytes, modes}]
steps     [{mode, layer, kernel, macs, instructions, cycles, cycles_source, spent}], in the order in which they run;
spent says what modelled cycles went to: {products, loads, stores, branches, others, flash}
choices   [{layer, chosen, allowed, others}]: kernels of layers that have a choice, each {kernel, scratch,
instructions}, the last as the cost model expects them; others are faster or need less scratch
left_out  [{mode, instructions, reason}]: published modes that are not worth running on this target
notes     place of a null -> why
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.pipeline.artifacts.cycles import CyclesSource, check_cycles
from dimmer.pipeline.core.documents import load_document, save_document

RESULT = "firmware.json"


def firmware_folder(build: Path, target: str) -> Path:
    """Where the stage leaves firmware.elf and firmware.json, under ``build/<model>``."""
    return build / target / "firmware"


@dataclass(frozen=True)
class Verification:
    """A mode's outputs against the TFLite interpreter's, bit for bit.

    Attributes:
        samples: inputs compared.
        mismatches: inputs whose output differed in any bit.
        backend: what computed the compared side: an emulator, a board, the host.
        reference: which interpreter: "litert" or "tflm".
    """

    samples: int
    mismatches: int
    backend: str
    reference: str = "litert"


@dataclass(frozen=True)
class FirmwareFlash:
    """Bytes of flash.

    Attributes:
        tables: of the model, with the self-test's known answers.
        code: everything else: runtime, kernels, application, start-up, C library.
        single_mode_total: of the same firmware with the top mode alone.
        runtime_code: of `code`, that of runtime and kernels.
    """

    weights: int
    tables: int
    code: int
    total: int
    single_mode_total: int
    runtime_code: int


@dataclass(frozen=True)
class FirmwareRam:
    """Bytes of RAM.

    Attributes:
        arena: scratch included.
        scratch: the largest that a step takes.
        stack: the most that was seen in use, of the whole firmware; None where the target cannot paint it; then `total`
            is None too.
        single_mode_arena: the arena that the top mode alone needs.
        lower_bound: most bytes alive in one step, which no plan can undercut.
        arena_without_scratch: what the tensors alone need.
        state: of the arena, what lasts from one inference to the next.
    """

    arena: int
    scratch: int
    stack: int | None
    total: int | None
    single_mode_arena: int
    lower_bound: int
    arena_without_scratch: int
    state: int = 0


@dataclass(frozen=True)
class StackDepth:
    """The most stack that a function can take with all that it calls.

    Attributes:
        bytes: from where its caller's ends; None where that is not proven.
        path: the functions that take so much, the first one first.
    """

    name: str
    bytes: int | None
    path: tuple[str, ...]


@dataclass(frozen=True)
class FirmwareStack:
    """Stack as the call graph of the linked program proves it, in bytes. Interrupts are in none of it.

    Attributes:
        proven: of the whole firmware, from its start on: what `ram.stack` cannot exceed.
        before_hook: of dimmer_invoke, what is in use where it calls the function that `dimmer_on_block` was given: with
            one, an application needs the larger of dimmer_invoke's bytes and of these with that function's own.
        exception_frame: the most that the core itself pushes where an exception begins, alignment included.
        entries: functions of dimmer.h, without a hook.
        kernels: those that the model names.
    """

    proven: int | None
    before_hook: int | None
    exception_frame: int | None
    entries: tuple[StackDepth, ...] = ()
    kernels: tuple[StackDepth, ...] = ()

    def entry(self, name: str) -> int | None:
        """Bytes of a function of dimmer.h; None where they are not proven."""
        return next((entry.bytes for entry in self.entries if entry.name == name), None)

    def text(self, painted: int | None) -> str:
        """A clause for people.

        Args:
            painted: the most that was seen in use.
        """
        proven, seen = ("not known" if value is None else f"{value:,} bytes" for value in (self.proven, painted))
        return f"proven {proven} (call graph), painted {seen}"


@dataclass(frozen=True)
class Switch:
    """What a change of mode costs, and what an extra mode does."""

    instructions: int | None
    bytes_of_flash_per_extra_mode: float | None


@dataclass(frozen=True)
class GateCount:
    """What the gates cost on the target.

    Attributes:
        instructions: of all gates in one inference.
        share_of_top_mode: of the top mode's instructions.
    """

    instructions: int | None
    share_of_top_mode: float | None


@dataclass(frozen=True)
class FirmwareMode:
    """A mode in the firmware.

    Attributes:
        macs: multiply-accumulates of one inference.
        instructions: executed by one inference, counted on the target; None where it does not count.
        verify: on random inputs; None where `pipeline.verify` does that.
        cycles: clock cycles of one inference; None where they are neither measured nor modelled.
        cycles_source: where they come from; None without cycles.
    """

    name: str
    macs: int
    instructions: int | None
    verify: Verification | None
    cycles: int | None = None
    cycles_source: CyclesSource | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a count of nothing, and for cycles without a source."""
        if self.instructions is not None and self.instructions < 1:
            raise ValueError(f"mode {self.name} takes {self.instructions} instructions, which cannot be")
        check_cycles(f"mode {self.name}", self.cycles, self.cycles_source)


@dataclass(frozen=True)
class PolicyTier:
    """A step of the battery policy: ``mode`` runs while charge and voltage are at least these."""

    mode: str
    min_charge_permille: int
    min_millivolts: int
    hysteresis_permille: int
    dwell_s: int


@dataclass(frozen=True)
class ArenaBuffer:
    """A tensor's place in one mode's arena, bytes, from ``first_step`` to ``last_step`` inclusive.

    Attributes:
        within: name of the buffer that it is a slice of, so that nothing copies it; empty where it has its own bytes.
    """

    mode: str
    name: str
    offset: int
    size: int
    first_step: int
    last_step: int
    within: str = ""


@dataclass(frozen=True)
class LayerConstant:
    """A run of constants in flash.

    Attributes:
        layer: that reads it, and what it is there: "stem: weights".
        bytes: in flash, once for all modes.
        modes: that read it.
    """

    layer: str
    bytes: int
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One step of a mode's inference.

    Attributes:
        layer: name of the tensor that it computes.
        kernel: the C function.
        instructions: counted on the target; None where it does not count.
        cycles, cycles_source: as of a mode.
        spent: group of instructions -> cycles that went to it; empty where they are not modelled.
    """

    mode: str
    layer: str
    kernel: str
    macs: int
    instructions: int | None
    cycles: int | None = None
    cycles_source: CyclesSource | None = None
    spent: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for cycles of nothing or without a source."""
        check_cycles(f"layer {self.layer}", self.cycles, self.cycles_source)


@dataclass(frozen=True)
class KernelOption:
    """A kernel that a layer can have.

    Attributes:
        scratch: bytes.
        instructions: as the cost model expects them.
    """

    kernel: str
    scratch: int
    instructions: int


@dataclass(frozen=True)
class KernelChoice:
    """Which kernel a layer got, where there is more than one.

    Attributes:
        allowed: bytes of scratch that the layer might take.
        others: faster, or with less scratch.
    """

    layer: str
    chosen: KernelOption
    allowed: int
    others: tuple[KernelOption, ...]


@dataclass(frozen=True)
class LeftOut:
    """A published mode that is not worth running on the target, and why."""

    mode: str
    instructions: int
    reason: str


@dataclass(frozen=True)
class Firmware:
    """The content of firmware.json.

    Attributes:
        gates: None without gates.
        modes: in the order of their ids.
        policy: by falling thresholds; empty for none.
        buffers: of every mode.
        steps: in the order in which they run.
        notes: place of a null -> why it is one, or how a figure was come by.
        left_out: published modes that are not in it.
        governor: modes that the governor chooses from, by rising cost; empty without one.
    """

    model: str
    target: str
    flash: FirmwareFlash
    ram: FirmwareRam
    stack: FirmwareStack
    switch: Switch
    gates: GateCount | None
    modes: tuple[FirmwareMode, ...]
    policy: tuple[PolicyTier, ...]
    buffers: tuple[ArenaBuffer, ...]
    layers: tuple[LayerConstant, ...]
    steps: tuple[Step, ...]
    choices: tuple[KernelChoice, ...]
    notes: Mapping[str, str]
    left_out: tuple[LeftOut, ...]
    governor: tuple[str, ...] = ()

    @property
    def mismatches(self) -> int:
        """Of all modes that were compared."""
        return sum(mode.verify.mismatches for mode in self.modes if mode.verify is not None)

    def save(self, folder: Path) -> None:
        """Write firmware.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Firmware:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)


def firmware_modes(build: Path, target: str) -> tuple[str, ...]:
    """Names of the modes in a target's firmware, in the order of their ids.

    Raises:
        DimmerError: firmware.json is missing or damaged.
    """
    return tuple(mode.name for mode in Firmware.load(firmware_folder(build, target)).modes)
