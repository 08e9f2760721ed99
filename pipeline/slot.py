# SPDX-License-Identifier: Apache-2.0
"""A built model as an image of its own for a slot of a board's flash, signed (docs/field.md).

python -m pipeline.slot --target netduinoplus2 --address 0x08080000 --size 0x40000 --key key.pem \
    --release 1.2.3 --counter 7
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.mcuboot import version_of
from dimmer.pipeline.artifacts.places import built_folder
from dimmer.pipeline.bundles.slots.make import SlotOrder, make_image, name_of_generated
from dimmer.pipeline.bundles.slots.signing import demo_key, keys_header, load_key
from dimmer.pipeline.core.command import main_of, model_option, target_option
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.core.targets import load_program_target
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets.kit.memory import Region


def number(text: str, what: str) -> int:
    """A number of 32 bits, such as 0x08080000.

    Raises:
        DimmerError: it is none; the message names the option.
    """
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value <= 0xFFFF_FFFF:
        raise DimmerError(f"{what} is {text!r}: give it a number, such as 0x08080000")
    return value


def main(
    target: Annotated[str, target_option],
    address: Annotated[str, typer.Option("--address", help="Of the slot's first byte.")],
    size: Annotated[str, typer.Option("--size", help="Of the slot, bytes.")],
    release: Annotated[str, typer.Option("--release", help="Version of the model, such as 1.2.3.")],
    counter: Annotated[int, typer.Option("--counter", min=0, max=0xFFFF_FFFF, help="Devices take none lower.")],
    model: Annotated[str, model_option] = "mnist5k-r14",
    key: Annotated[Path | None, typer.Option("--key", help="PEM file of an ed25519 key that signs.")] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="With its SHA-256 alone.")] = False,
    development: Annotated[
        bool, typer.Option("--development", help="For devices that take such images; without --key the demo key signs.")
    ] = False,
    program: Annotated[int, typer.Option("--program", min=0, help="The lowest program that may run it.")] = 0,
    generated: Annotated[
        Path | None, typer.Option("--generated", help="Folder of other generated C, which says the name.")
    ] = None,
    keys: Annotated[Path | None, typer.Option("--keys", help="C header to write, of the key for devices.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write.")] = None,
) -> None:
    """Make a built model a signed image for a slot of a board's flash."""
    if (unsigned and (development or key is not None)) or not (unsigned or development or key is not None):
        raise DimmerError("say who signs: --key FILE, or --unsigned, or --development for the demo key")
    if unsigned and keys is not None:
        raise DimmerError("--keys has the key that signed, and --unsigned has none: leave one of them away")
    chosen = load_program_target(target)
    if generated is None:
        recipe = load_recipe(model)
        name, folder = recipe.name, built_folder(build_folder(recipe), chosen)
    else:
        name, folder = name_of_generated(generated), generated
    slot = Region(number(address, "--address"), number(size, "--size"))
    order = SlotOrder(folder, name, slot, version_of(release), counter, program, development)
    signer = None if unsigned else demo_key() if key is None else load_key(key)
    image = make_image(order, chosen, signer)
    path = out or folder.parent / f"{name}-{release}-{slot.origin:#010x}.img"
    atomic_write(path, image)
    signed = "SHA-256 alone, nobody signed it" if signer is None else f"signed by {signer.key_hash.hex()[:16]}"
    print(f"{path}\n{len(image):,} of {slot.size:,} bytes at {slot.origin:#010x}, counter {counter}, {signed}")
    if signer is not None:
        print(f"public key {signer.public.hex()}")
    if signer is not None and keys is not None:
        atomic_write(keys, keys_header(signer).encode())
        print(f"{keys}: for the device's program, beside targets/board/verifier.c")


if __name__ == "__main__":
    main_of(main)
