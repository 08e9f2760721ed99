# SPDX-License-Identifier: Apache-2.0
"""The table [npu] of a target.toml: which Ethos-U, and how Vela is to see the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.targets.kit.schema import Table
from dimmer.toml import plain

ACCELERATORS = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
STRATEGIES = ("Performance", "Size")
SCALES = ("packed", "plain")
ARMS_OWN = "Arm/vela.ini"
"""The configuration that comes with Vela, of Arm's reference systems."""
PACKAGE = "ethos-u-vela"


@dataclass(frozen=True)
class Npu:
    """The NPU of a target.

    Attributes:
        accelerator: as Vela calls it. A firmware for one runs on no other.
        system_config: section of the configuration that says how fast memories and buses are.
        memory_mode: section that says what lies where: "Shared_Sram" or "Sram_Only".
        config: Vela's configuration, a file beside target.toml; Arm/vela.ini is the one that comes with Vela.
        strategy: what Vela makes the streams for: "Performance", or "Size" of the scratch.
        sources: C of the board's own driver and functions (dimmer_ethos_u.h), in place of the stand-in that answers
            with what is known.
        include: folders of that driver's headers, beside target.toml.
        scales: of each further mode: "packed" in flash, 7 bytes a channel, and unpacked into RAM before each inference;
            or "plain", 10 bytes, read where they lie.
    """

    accelerator: str
    system_config: str
    memory_mode: str
    config: str = ARMS_OWN
    strategy: str = STRATEGIES[0]
    sources: tuple[Path, ...] = ()
    include: tuple[Path, ...] = ()
    scales: str = SCALES[0]

    @property
    def is_packed(self) -> bool:
        """Whether scales of one mode alone are packed."""
        return self.scales == SCALES[0]

    @property
    def is_experimental(self) -> bool:
        """Whether there is no model of it here, so that nothing shows that a stream is right."""
        return self.accelerator.startswith("ethos-u85")


def npu_of(table: Table | None, folder: Path) -> Npu | None:
    """What [npu] says; paths count from the folder.

    Raises:
        TargetError: a key is missing or unknown, or a file is not there.
    """
    if table is None:
        return None
    accelerator = table.optional_choice("accelerator", ACCELERATORS)
    if accelerator is None:
        raise table.fail(f"'accelerator' is missing: give it one of {', '.join(ACCELERATORS)}", "accelerator")
    given = table.optional_text("config")
    config = ARMS_OWN
    if given is not None and given != ARMS_OWN:
        path = (folder / given).resolve()
        if not path.is_file():
            raise table.fail(f"there is no file {plain(given)} in {folder}: give the board's vela.ini", "config")
        config = str(path)
    result = Npu(
        accelerator=accelerator,
        system_config=table.text("system_config"),
        memory_mode=table.text("memory_mode"),
        config=config,
        strategy=table.choice("strategy", STRATEGIES),
        sources=_paths(table, folder, "sources"),
        include=_paths(table, folder, "include"),
        scales=table.choice("scales", SCALES),
    )
    table.finish()
    return result


def _paths(table: Table, folder: Path, key: str) -> tuple[Path, ...]:
    found = tuple((folder / name).resolve() for name in table.texts(key, required=False))
    for path in found:
        if not path.exists():
            raise table.fail(f"there is no {plain(str(path))}", key)
    return found
