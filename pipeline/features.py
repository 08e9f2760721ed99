# SPDX-License-Identifier: Apache-2.0
"""What stands around a network, as C: the front end that makes its input, a detector behind its output.

python -m pipeline.features --tflite kws.tflite --kind mlperf-kws --name kws --out build/kws/host
python -m pipeline.features --tflite kws.tflite --settings features.toml --out build/kws/host
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.recipe.front_end import features_of, surroundings
from dimmer.pipeline.recipe.sections.features import KINDS, FeaturesSection


def complete_kinds(incomplete: str) -> list[str]:
    """Kinds that need no further keys and begin so."""
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def main(
    tflite: Annotated[Path, typer.Option("--tflite", help="The network: its input says shape and codes.")],
    kind: Annotated[
        str | None,
        typer.Option("--kind", help=f"One of {', '.join(KINDS)}.", autocompletion=complete_kinds),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A TOML file with a section features, such as a recipe.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the model in C; the file's where none.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write the C into.")] = Path(),
) -> None:
    """Write the C of a network's front end and of the detector behind it, and say what they take."""
    if (kind is None) == (settings is None):
        raise DimmerError("give --kind for a front end that is known, or --settings for a file with [features]")
    section = features_of(settings) if settings is not None else FeaturesSection(kind=str(kind))
    if not section.wanted:
        raise DimmerError(f"nothing to make: features.kind is none, take one of {', '.join(KINDS[1:])}")
    graph = read_tflite(tflite)
    around = surroundings(section, graph.tensors[graph.input], graph.tensors[graph.output])
    out.mkdir(parents=True, exist_ok=True)
    for file, text in around.files(name or tflite.stem).items():
        write_atomically(out / file, text)
        print(out / file)
    print(f"RAM {around.ram:,} bytes of streams, flash {around.flash:,} bytes of tables")


if __name__ == "__main__":
    main_of(main)
