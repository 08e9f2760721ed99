# SPDX-License-Identifier: Apache-2.0
"""What is simulated: boards, a network's modes, and the tiers to compare with, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.hull import concave_hull
from dimmer.pipeline.verification.simulation.cells import Floats as Floats
from dimmer.targets.kit.schema import Table
from dimmer.targets.power.constants import Energy, board_of, load_board

SETTING = Path(__file__).with_name("setting.toml")


@dataclass(frozen=True)
class Board:
    """A board and its supply.

    Attributes:
        active_ma: while an inference runs, at any voltage.
        megahertz: of the core.
        volts: of the battery, on an average.
        sleep_ua: between inferences.
        brown_out_volts: under which it does not run.
    """

    active_ma: float
    megahertz: float
    volts: float
    sleep_ua: float
    brown_out_volts: float

    def millijoules(self, cycles: float) -> float:
        """What so many cycles take from the battery."""
        return cycles / (self.megahertz * 1e6) * self.active_ma * self.volts

    @classmethod
    def of(cls, energy: Energy, volts: float, brown_out_volts: float) -> Board:
        """A board with its constants at a battery; without a sleep current it sleeps for nothing.

        Args:
            energy: as targets/power has it.
        """
        megahertz = energy.clock_mhz.value
        if energy.cycle_pc is not None:
            active_ma = energy.cycle_pc.value * megahertz / 1000
        elif energy.cycle_pj is not None:
            active_ma = energy.cycle_pj.value * megahertz / 1000 / volts
        else:
            active_ma = energy.active_mw.value / volts if energy.active_mw is not None else 0.0
        sleep_ua = energy.sleep_ua.value if energy.sleep_ua is not None else 0.0
        return cls(active_ma, megahertz, volts, sleep_ua, brown_out_volts)

    @property
    def sleep_mw(self) -> float:
        """Milliwatts between inferences."""
        return self.sleep_ua * self.volts / 1000


@dataclass(frozen=True)
class Setting:
    """Boards, and the modes of a network.

    Attributes:
        name: of the network.
        modes: in the order of the file.
        accuracy: of each mode, 0..1.
        cycles: of each mode, wait states included.
        images: on which accuracy was measured.
        tier_thresholds: permille, falling, of the tiers to compare with.
        tier_modes: one more than thresholds.
    """

    boards: Mapping[str, Board]
    name: str
    modes: tuple[str, ...]
    accuracy: tuple[float, ...]
    cycles: tuple[float, ...]
    images: int
    tier_thresholds: tuple[int, ...]
    tier_modes: tuple[str, ...]

    @cached_property
    def hull(self) -> tuple[int, ...]:
        """Indices of the modes that are worth choosing from, by rising cost."""
        costs = dict(zip(self.modes, self.cycles, strict=True))
        accuracy = dict(zip(self.modes, self.accuracy, strict=True))
        return tuple(map(self.modes.index, concave_hull(costs, accuracy, self.images).modes))

    def mixed(self, cycles: Floats | float) -> Floats:
        """Accuracy of the best mixture that costs so many cycles on an average, from leaving inferences out on."""
        at = [0.0, *(self.cycles[i] for i in self.hull)]
        return np.asarray(np.interp(cycles, at, [0.0, *(self.accuracy[i] for i in self.hull)]))


def load_setting(path: Path = SETTING) -> Setting:
    """Reads a file of the form of `setting.toml`.

    Raises:
        DimmerError: it cannot be read, or a key is missing, unknown or wrong.
    """
    try:
        text = path.read_text()
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} cannot be read ({error}): take {SETTING} as an example") from error
    try:
        network, tiers = table["network"], table["tiers"]
        modes = network["modes"]
        setting = Setting(
            {name: _board(board, path) for name, board in table["boards"].items()},
            str(network["name"]),
            tuple(modes),
            tuple(float(mode["accuracy"]) for mode in modes.values()),
            tuple(float(mode["cycles"]) * float(network["wait_factor"]) for mode in modes.values()),
            int(network["images"]),
            tuple(map(int, tiers["thresholds"])),
            tuple(map(str, tiers["modes"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DimmerError(f"{path}: {error} is missing or wrong: take {SETTING} as an example") from error
    _check(setting, path)
    return setting


def _board(table: Mapping[str, object], path: Path) -> Board:
    unknown = sorted(set(table) - {"power", "volts", "brown_out_volts"})
    if unknown:
        raise ValueError(f"{unknown[0]}, which is no key of a board,")
    name = str(table["power"])
    if name.endswith(".toml"):
        file = path.parent / name
        energy = board_of(Table.read(file), file.stem)
    else:
        energy = load_board(name)
    volts, brown_out = (float(str(table[key])) for key in ("volts", "brown_out_volts"))
    if not 0 < volts < 1000:
        raise ValueError(f"volts = {volts:g}")
    return Board.of(energy, volts, brown_out)


def _check(setting: Setting, path: Path) -> None:
    def refuse(what: str) -> None:
        raise DimmerError(f"{path}: {what}")

    for name, board in setting.boards.items():
        if min(board.active_ma, board.megahertz, board.volts) <= 0 or board.sleep_ua < 0:
            refuse(f"boards.{name}: currents, clock and voltage must be over 0")
    if not setting.modes or not all(0 < a <= 1 for a in setting.accuracy) or min(setting.cycles) <= 0:
        refuse("network.modes: at least one, each with accuracy in 0..1 and cycles over 0")
    unknown: Sequence[str] = [mode for mode in setting.tier_modes if mode not in setting.modes]
    if unknown or len(setting.tier_modes) != len(setting.tier_thresholds) + 1:
        refuse("tiers: modes must be of network.modes, one more than thresholds")
