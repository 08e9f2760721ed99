# SPDX-License-Identifier: Apache-2.0
"""CMSIS-Pack: the description of components, and the layer of a csolution project."""

from __future__ import annotations

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.variants.cores import Kind
from dimmer.pipeline.bundles.packaging.examples import MAIN, example_files
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import render

DATE = "2026-01-01"
"""Of every release: the day of making would make other bytes of the same model."""

_CORES = {
    "cortex-m55": ("Cortex-M52", "Cortex-M55", "Cortex-M85"),
    "cortex-m4": ("Cortex-M4", "Cortex-M7", "Cortex-M33", "Cortex-M35P"),
    "cortex-m3": ("Cortex-M3",),
    "cortex-m0plus": ("Cortex-M0", "Cortex-M0+", "Cortex-M1", "Cortex-M23"),
}
"""Kind -> its cores as CMSIS calls them. A core of a kind runs the tables of the kinds that stand after it, too."""


def cores_of(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    """Dcore of every core that a package has tables for; none where it has some for any.

    Raises:
        DimmerError: it has tables for no core of Arm's.
    """
    if any(not kind.condition for kind in kinds):
        return ()
    arm = [kind.core for kind in kinds if kind.core in _CORES]
    if not arm:
        raise DimmerError("CMSIS-Packs are for Arm's cores: add --core cortex-m4 or another, or --core portable")
    # Thumb's tables are for cores that have no Thumb-2.
    wide = [core for core in ("cortex-m55", "cortex-m4", "cortex-m3") if core in arm]
    below = {"cortex-m55": ("cortex-m55",), "cortex-m4": ("cortex-m55", "cortex-m4"), "cortex-m3": tuple(_CORES)[:3]}
    runs = dict.fromkeys(core for kind in wide for core in below[kind])
    if "cortex-m0plus" in arm:
        runs["cortex-m0plus"] = None
    return tuple(name for core in _CORES if core in runs for name in _CORES[core])


def cmsis_pack_files(package: Package) -> dict[str, str]:
    """The pack's description, a layer and an example.

    Raises:
        DimmerError: as `cores_of`.
    """
    return {
        pdsc_name(package): render("pdsc", package, cores=cores_of(package.kinds), date=DATE, abi=ABI, sample=MAIN),
        f"{package.symbol}.clayer.yml": render("clayer.yml", package),
        **example_files(package),
    }


def pdsc_name(package: Package) -> str:
    """File of the pack's description."""
    return f"{package.publisher.vendor}.{package.symbol}.pdsc"


def pack_name(package: Package) -> str:
    """File of the pack. What follows a version's "+" is no part of it: tools for packs leave it out."""
    return f"{package.publisher.vendor}.{package.symbol}.{package.model_version}.pack"
