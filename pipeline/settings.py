# SPDX-License-Identifier: Apache-2.0
"""Thresholds, the governor's plan and the duty as a record that a device takes without a new model (docs/field.md).

python -m pipeline.settings settings.toml --modes 4 --sequence 2 --key key.pem --out settings.bin
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.slots.settings import pack, read_settings
from dimmer.pipeline.bundles.slots.signing import load_key
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.stage import atomic_write


def main(
    file: Annotated[Path, typer.Argument(help="TOML with the sections policy, plan and duty.")],
    modes: Annotated[int, typer.Option("--modes", min=1, max=255, help="Of the model.")],
    sequence: Annotated[int, typer.Option("--sequence", min=1, max=0xFFFF_FFFF, help="Devices take higher ones.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    key: Annotated[Path | None, typer.Option("--key", help="PEM file of an ed25519 key that signs.")] = None,
    gated: Annotated[bool, typer.Option("--gated", help="The model has gates.")] = False,
    model_crc: Annotated[str, typer.Option("--model-crc", help="Of the only model that takes it.")] = "0",
) -> None:
    """Write thresholds, plan and duty as a record that a device takes without a new model."""
    try:
        crc = int(model_crc, 0)
    except ValueError as error:
        raise DimmerError(f"--model-crc is {model_crc!r}: give it a number, such as 0x1A547F88") from error
    signer = None if key is None else load_key(key)
    if signer is not None and signer.demo:
        raise DimmerError("this is the key of the documentation, which everybody has: give a key of your own")
    record = pack(read_settings(file, sequence, modes, gated, crc), signer)
    atomic_write(out, record)
    print(f"{out}: {len(record)} bytes, sequence {sequence}, {'signed' if signer else 'CRC-32 alone'}")


if __name__ == "__main__":
    main_of(main)
