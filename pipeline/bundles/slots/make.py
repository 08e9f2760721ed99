# SPDX-License-Identifier: Apache-2.0
"""A generated model linked for a slot, and made an image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.text import name_in_c
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.pipeline.artifacts.mcuboot import HEADER_SIZE, Image, Version, pack
from dimmer.pipeline.bundles.slots.signing import Key
from dimmer.targets import Target
from dimmer.targets.kit.memory import Region
from dimmer.targets.kit.toolchain import compile_firmware
from dimmer.targets.target import TARGETS

TRAILER = 512
"""Bytes at a slot's end for TLVs and what a boot loader keeps there."""
_ANSWERS = "_known_answers.c"


@dataclass(frozen=True)
class SlotOrder:
    """What to make an image of.

    Attributes:
        generated: folder with the model's C and its known answers, as the firmware stage leaves it.
        name: of the model.
        slot: where it is to lie.
        version: of the model.
        counter: security counter; never falls from release to release.
        program: the lowest program that may run it.
        development: for devices that take such images.
    """

    generated: Path
    name: str
    slot: Region
    version: Version
    counter: int
    program: int = 0
    development: bool = False


def name_of_generated(folder: Path) -> str:
    """What generated C calls its model.

    Raises:
        DimmerError: there is none, or that of several models, or it does not say.
    """
    files = [path for path in sorted(folder.glob("dimmer_*.c")) if not path.name.endswith(_ANSWERS)]
    if len(files) != 1:
        raise DimmerError(
            f"{folder} has the C of {len(files)} models, an image has one: name the folder that dimmer firmware printed"
        )
    text = files[0].read_text(encoding="utf-8", errors="replace")
    if (named := re.search(r'_names = \{\n +"([^"\\]+)",', text)) is None:
        raise DimmerError(f"{files[0]} does not name its model: generate it again")
    return name_in_c(named[1])


def link(order: SlotOrder, target: Target, kernels: Sequence[str] | None = None) -> bytes:
    """The model with its kernels and known answers, linked for the slot.

    Args:
        kernels: that it needs; all are compiled, and the linker drops the others, where None.

    Raises:
        DimmerError: nothing was generated, or the target is none that could have slots.
        TargetError: the compiler, or the slot is too small.
    """
    if target.memory is None or target.toolchain.objcopy is None:
        raise DimmerError(f"{target.name} has no flash of its own: slots are for boards ('dimmer targets')")
    if target.npu is not None:
        raise DimmerError(
            f"{target.name} has an NPU, whose driver is the program's, and a slot's image calls nothing of it: "
            "update program and model together"
        )
    model = sorted(order.generated.glob("dimmer_*.c"))
    if not any(path.name.endswith(_ANSWERS) for path in model):
        raise DimmerError(
            f"{order.generated} has no generated C with known answers: type dimmer build --target {target.name}"
        )
    flash = target.memory.flash
    if order.slot.origin < flash.origin or order.slot.end > flash.end or order.slot.origin % 0x200:
        raise DimmerError(
            f"a slot of {order.slot.size:#x} bytes at {order.slot.origin:#x} does not lie in {target.name}'s flash "
            f"({flash.origin:#x} to {flash.end:#x}) at a multiple of 0x200"
        )
    toolchain = replace(
        target.toolchain, sources=(), linker_script=TARGETS / "bare_metal" / "slot.ld", formats=("bin",)
    )
    symbols = {
        "DIMMER_SLOT_ORIGIN": order.slot.origin,
        "DIMMER_SLOT_SIZE": order.slot.size - TRAILER,
        "DIMMER_SLOT_HEADER": HEADER_SIZE,
    }
    files = [*model, TARGETS / "library" / "blob.c", *sources(kernels)]
    with children.scratch() as work:
        elf = compile_firmware(
            toolchain, files, [order.generated, INCLUDE], work, {"DIMMER_BLOB_PROGRAM": f"{order.program}u"}, symbols
        )
        return elf.with_suffix(".bin").read_bytes()


def make_image(order: SlotOrder, target: Target, key: Key | None, kernels: Sequence[str] | None = None) -> bytes:
    """The image to write to the slot.

    Raises:
        DimmerError: the key is the one that everybody has, or as `link`.
        TargetError: as `link`.
    """
    if key is not None and key.demo and not order.development:
        raise DimmerError(
            "this is the key of the documentation, which everybody has: no release is signed with it; give a key of "
            "your own, or --development for devices that take such images"
        )
    payload = link(order, target, kernels)
    image = Image(payload, order.slot.origin, order.version, order.counter, order.name, order.development)
    made = pack(image) if key is None else pack(image, key.key_hash, key.sign)
    if len(made) > order.slot.size:
        raise DimmerError(f"the image has {len(made):,} bytes, the slot {order.slot.size:,}: take a larger slot")
    return made
