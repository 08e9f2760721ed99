# SPDX-License-Identifier: Apache-2.0
"""A model as a library for somebody's project: sources, headers, manifest, example, for several cores at once.

python -m pipeline.package --model mnist5k-r14 --format cmake
python -m pipeline.package --tflite network.tflite --format arduino --core cortex-m4 --core portable
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer.firmware_gen.variants.cores import KINDS
from dimmer.pipeline.artifacts.context import build_folder, builds
from dimmer.pipeline.bundles.packaging.formats import FORMATS, find_format
from dimmer.pipeline.bundles.packaging.order import foreign_package, kinds_of, recipe_package
from dimmer.pipeline.bundles.packaging.package import DEFAULT_VERSION, Package, Publisher
from dimmer.pipeline.bundles.packaging.source import make_package, read_labels
from dimmer.pipeline.bundles.packaging.write import write_package
from dimmer.pipeline.core.command import main_of, model_option, progress_bar
from dimmer.pipeline.core.noted import note
from dimmer.pipeline.core.targets import scratch_option
from dimmer.pipeline.recipe.front_end import features_of
from dimmer.pipeline.recipe.recipe import load_recipe


def complete_formats(incomplete: str) -> list[str]:
    """Names of formats that begin so."""
    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_cores(incomplete: str) -> list[str]:
    """A core of each kind that begins so."""
    return [kind.core for kind in KINDS if kind.core.startswith(incomplete)]


format_option = typer.Option("--format", help=f"One of {', '.join(FORMATS)}.", autocompletion=complete_formats)
features_option = typer.Option("--features", help="A TOML file with a section features, instead of the recipe's.")
core_option = typer.Option(
    "--core",
    help="A core to have tables for, as compilers call it, or portable for any; repeat. Where none: all kinds.",
    autocompletion=complete_cores,
)


def main(
    form: Annotated[str, format_option],
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A .tflite file; repeat for modes.")] = None,
    model: Annotated[str, model_option] = "mnist5k-r14",
    core: Annotated[list[str] | None, core_option] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the model in C, and of the package.")] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="File with a class's name a line.")] = None,
    version: Annotated[str, typer.Option("--model-version", help="Of the model.")] = DEFAULT_VERSION,
    vendor: Annotated[str, typer.Option("--vendor", help="A word, for CMSIS-Packs.")] = Publisher.vendor,
    maintainer: Annotated[str, typer.Option("--maintainer", help="'Name <address>'.")] = Publisher.maintainer,
    url: Annotated[str, typer.Option("--url", help="Of the package's home.")] = Publisher.url,
    features: Annotated[Path | None, features_option] = None,
    scratch_limit: Annotated[int | None, scratch_option] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write the package into.")] = None,
) -> None:
    """Make a model a library for CMake, Zephyr, PlatformIO, Arduino, CMSIS-Pack, ESP-IDF or any build."""
    chosen = find_format(form)
    kinds = kinds_of(core or chosen.cores)
    classes = () if labels is None else read_labels(labels)
    with progress_bar("package") as progress:
        progress("generating", 0.0)
        if tflite:
            order = foreign_package(tflite, kinds)
        else:
            recipe = load_recipe(model)
            order = recipe_package(recipe, build_folder(recipe), kinds)
        package = make_package(
            replace(
                order,
                name=name,
                classes=classes or order.classes,
                features=order.features if features is None else features_of(features),
                scratch_limit=scratch_limit,
                model_version=version,
                publisher=Publisher(vendor, maintainer, url),
            )
        )
        place = builds() / order.model.name / "packages" / form
        written = write_package(package, chosen, out or place)
        if out is None:
            note(place, (written.archive, *(path for path in written.folder.rglob("*") if path.is_file())))
    _print(package)
    print(written.archive)
    print(written.folder)


def _print(package: Package) -> None:
    print(f"{package.symbol} {package.version}")
    for core in package.cores:
        print(f"  {core.kind.what:28} flash about {core.flash:>9,}  RAM {core.arena:>9,} + stack")


if __name__ == "__main__":
    main_of(main)
