# SPDX-License-Identifier: Apache-2.0
"""What the stages of an NPU leave: firmware.elf, the generated C, Vela's output, `npu.json`; then `verify_npu.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.artifacts.firmware import LeftOut, PolicyTier
from dimmer.pipeline.artifacts.verification import Outcome
from dimmer.pipeline.core.documents import load_document, save_document

RESULT, VERIFIED = "npu.json", "verify_npu.json"


def npu_folder(build: Path, target: str) -> Path:
    """Where the stage `npu` writes, under ``build/<model>``."""
    return build / target / "npu"


def verify_npu_folder(build: Path, target: str) -> Path:
    """Where the stage `verify_npu` writes."""
    return build / target / "verify_npu"


def vela_output(folder: Path, mode: str) -> Path:
    """What Vela made of a mode, as it came, in the folder of the stage `npu`."""
    return folder / f"{mode}.npz"


def part_file(folder: Path, part: str) -> Path:
    """The `.tflite` of a part of a mode, in the folder of the stage `npu`."""
    return folder / f"{part}.tflite"


@dataclass(frozen=True)
class OnCore:
    """An operator of a mode that stays on the NPU's core.

    Attributes:
        tensor: name of its output.
        why: in Vela's words.
    """

    operator: str
    tensor: str
    why: str


@dataclass(frozen=True)
class NpuPart:
    """A part of a mode, which the NPU or its core runs.

    Attributes:
        on_core: the operators of a part of the core, with the reason; none of a part of the NPU.
        inputs, outputs: values that it reads and makes, by the numbers of the mode's tensors.
    """

    name: str
    on_core: tuple[OnCore, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class NpuMode:
    """One mode for the NPU. What Vela says is an estimate.

    Attributes:
        cycles: of the NPU, by Vela's estimate.
        clock_mhz: that Vela's system configuration gives the NPU.
        sram_bytes: read and written in SRAM in one inference, by the same.
        flash_bytes: read outside of it, by the same.
        stream_bytes: of its command streams, in flash.
        own_bytes: of scales and weights that no other mode reads, packed ones as they lie in flash.
        scratch: bytes of the arena.
        widened: whether its weights have 4 bits in the `.tflite`, which the NPU is given as 8.
        parts: where the core runs some of its operators, in their order; none where one stream is the mode.
        inputs, outputs: values of the parts that are the mode's.
    """

    name: str
    macs: int
    cycles: int
    clock_mhz: float
    sram_bytes: int
    flash_bytes: int
    stream_bytes: int
    own_bytes: int
    scratch: int
    widened: bool
    parts: tuple[NpuPart, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    @property
    def on_core(self) -> tuple[OnCore, ...]:
        """The operators that stay on the core."""
        return tuple(one for part in self.parts for one in part.on_core)

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of its streams, in their order."""
        return tuple(part.name for part in self.parts if not part.on_core) or (self.name,)

    @property
    def extra_bytes(self) -> int:
        """Flash that leaving the mode out would save."""
        return self.stream_bytes + self.own_bytes


@dataclass(frozen=True)
class NpuBytes:
    """Bytes of flash.

    Attributes:
        blob: constants of all modes, the packed ones as they lie in flash.
        shared: of the blob, what more than one mode reads.
        single_mode_blob: constants of the top mode alone.
        separate: constants of all modes, were each compiled by itself.
        streams: command streams of all modes.
        tables: of the runtime.
        code: everything else of the firmware.
        total: of the firmware.
    """

    blob: int
    shared: int
    single_mode_blob: int
    separate: int
    streams: int
    tables: int
    code: int
    total: int


@dataclass(frozen=True)
class NpuFirmware:
    """The content of npu.json.

    Attributes:
        accelerator: that the streams are for.
        vela: version.
        arena: bytes, of all modes.
        ram: bytes of the firmware, the stack apart.
        rehearsed: what ran the firmware, with what in the driver's place.
        left_out: published modes that are not worth running on this target; their instructions are cycles.
        note: on the policy's thresholds, on modes that it never chooses and on the governor's plan.
    """

    accelerator: str
    vela: str
    system_config: str
    memory_mode: str
    strategy: str
    modes: tuple[NpuMode, ...]
    bytes: NpuBytes
    arena: int
    ram: int
    rehearsed: str
    policy: tuple[PolicyTier, ...]
    left_out: tuple[LeftOut, ...] = ()
    note: str = ""

    def save(self, folder: Path) -> None:
        """Write npu.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> NpuFirmware:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)


@dataclass(frozen=True)
class VerifiedNpuMode:
    """A mode's command stream, as it ships, against the interpreter; None where there is no model of the NPU."""

    name: str
    outcome: Outcome | None


@dataclass(frozen=True)
class VerifiedNpu:
    """The content of verify_npu.json.

    Attributes:
        backend: what computed the compared side, for people.
        modes: in the order of their ids.
        proves: what is shown and what is not, in a sentence.
    """

    backend: str
    modes: tuple[VerifiedNpuMode, ...]
    proves: str

    def save(self, folder: Path) -> None:
        """Write verify_npu.json."""
        save_document(folder / VERIFIED, self)

    @classmethod
    def load(cls, folder: Path) -> VerifiedNpu:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / VERIFIED)
