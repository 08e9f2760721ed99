# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of the files that people write, for editors.

python -m pipeline.schema --out pipeline/schemas
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.schemas.files import FileKind, schema_text


def main(
    kind: Annotated[FileKind | None, typer.Argument(help="Of which file; all of them with --out FOLDER.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A .json file to write, or a folder: <kind>.schema.json in there.")
    ] = None,
) -> None:
    """Print the JSON Schema of recipe.toml, target.toml or dimmer.toml, or write it for editors."""
    if kind is not None and out is None:
        print(schema_text(kind), end="")
        return
    if out is None:
        raise DimmerError("name a file, recipe, target or project; or a folder for the schemas of all, --out FOLDER")
    single = out.suffix == ".json" and not out.is_dir()
    if single and kind is None:
        raise DimmerError(f"{out} holds one schema: name its file, recipe, target or project; or give a folder")
    for one in FileKind if kind is None else (kind,):
        path = out if single else out / one.schema
        try:
            changed = atomic_write(path, schema_text(one))
        except OSError as error:
            raise DimmerError(f"{path} cannot be written: {error.strerror}; give another place with --out") from error
        print(path if changed else f"{path}, which was so already")


if __name__ == "__main__":
    main_of(main)
