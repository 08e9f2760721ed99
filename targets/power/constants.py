# SPDX-License-Identifier: Apache-2.0
"""Constants of energy: the table [energy] of a target.toml, of a board's file in this folder, of what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from dimmer.project import project
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.toml import plain, shown

FOLDER = Path(__file__).resolve().parent
MEASURED = "measured.toml"
"""Beside a target.toml, or as measured/<target>.toml in the folder of a project: constants that were measured."""
REGULATORS = ("linear", "switched")


@dataclass(frozen=True)
class Constant:
    """A constant, how sure it is, and who says so.

    Attributes:
        value: in the unit that the name of its table ends in.
        plus_minus: its uncertainty, in the same unit: about two times in three the truth lies within.
        source: where it is from; reports say so.
        measured_on: the day on which it was measured on a board of the user's, YYYY-MM-DD; missing where it was not.
        trace: name of the file with what was measured then.
    """

    value: float
    plus_minus: float
    source: str
    measured_on: str | None = None
    trace: str | None = None

    @property
    def relative(self) -> float:
        """The uncertainty as a share of the value; 0 of what is 0."""
        return self.plus_minus / self.value if self.value else 0.0


NO_WAITING = Constant(1.0, 0.1, "no wait factor is given; the flash is taken to answer at once")
WAITS_MODELLED = Constant(1.0, 0.08, "the modelled cycles contain the flash's wait states ([timing] wait_states)")


@dataclass(frozen=True)
class Energy:
    """What a board draws, and what of that an inference takes; each constant with uncertainty and source.

    Attributes:
        regulator: of the core. Behind a "linear" one a cycle takes a charge, whatever the voltage; behind a "switched"
            one an energy.
        supply_mv: voltage of the supply, in millivolts.
        clock_mhz: of the core, in megahertz.
        board: whose constants count where this table has none: a file of targets/power/, or the path of one.
        cycle_pc: charge of a clock cycle behind a linear regulator, in picocoulombs.
        cycle_pj: energy of a clock cycle behind a switched regulator, in picojoules.
        active_mw: power while inferences run, in milliwatts, of boards on which only the time of one is known.
        fixed_ua: of the current while inferences run, what is drawn at any clock, in microamperes.
        wait_factor: cycles on the board over cycles without wait states.
        cycles_per_instruction: on an average, for where instructions are counted and cycles are not.
        sleep_ua: current between inferences, the RAM kept, in microamperes.
        wake_uc: charge of a wake-up and of falling asleep again, in microcoulombs.
        application_uc: charge that the application takes for each inference besides, in microcoulombs: sensor, radio.
    """

    regulator: str
    supply_mv: Constant
    clock_mhz: Constant
    board: str | None = None
    cycle_pc: Constant | None = None
    cycle_pj: Constant | None = None
    active_mw: Constant | None = None
    fixed_ua: Constant | None = None
    wait_factor: Constant = NO_WAITING
    cycles_per_instruction: Constant | None = None
    sleep_ua: Constant | None = None
    wake_uc: Constant | None = None
    application_uc: Constant | None = None

    @property
    def linear(self) -> bool:
        """Whether a cycle takes a charge, and not an energy."""
        return self.regulator == "linear"

    @property
    def constants(self) -> dict[str, Constant]:
        """Name -> constant, of all that are known."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, Constant)}


CONSTANTS = tuple(field.name for field in fields(Energy) if "Constant" in str(field.type))
_MOST: Mapping[str, float] = {"wait_factor": 100, "cycles_per_instruction": 100}
"""What a value is at most; others 1e9."""
_NOTHING = ("wake_uc", "application_uc", "fixed_ua")
"""Constants that may be 0."""


def board_names() -> tuple[str, ...]:
    """Names of the boards whose constants come with Dimmer, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_board(name: str) -> Energy:
    """The constants of a board: targets/power/<name>.toml.

    Raises:
        TargetError: there is no such file, or it is broken.
    """
    path = FOLDER / f"{name}.toml"
    if name not in board_names():
        raise TargetError(f"no board {shown(name)} in targets/power: name one of {', '.join(board_names())}")
    return board_of(Table.read(path), name)


def board_of(table: Table, name: str) -> Energy:
    """The constants of a board, of its file's table.

    Raises:
        TargetError: a key is missing, unknown or out of its bounds.
    """
    table.text("description")
    inner = table.table("energy")
    energy = _complete(inner, _given(inner), {"board": name})
    inner.finish()
    table.finish()
    return energy


def energy_of(table: Table, folder: Path) -> Energy:
    """What [energy] of a target.toml says, on top of what its board's file says.

    Args:
        folder: of the target.toml, from which the path of a board's file counts.

    Raises:
        TargetError: a key is missing, unknown or out of its bounds, or there is no such board.
    """
    name = table.optional_text("board")
    base = None
    if name is not None:
        path = folder / name
        if "/" in name or name.endswith(".toml"):
            if not path.is_file():
                raise table.fail(f"there is no file {plain(name)} in {folder}", "board")
            base = board_of(Table.read(path), path.stem)
        elif name in board_names():
            base = load_board(name)
        else:
            known = ", ".join(board_names())
            raise table.fail(f"'board' is {shown(name)}: give it one of {known}, or the path of a .toml", "board")
    energy = _complete(table, _given(table), {} if base is None else _as_given(base))
    table.finish()
    return energy


def with_measured(energy: Energy | None, folder: Path, name: str) -> Energy | None:
    """The constants of a target with those that were measured in place of others.

    Args:
        folder: of the target.toml.
        name: of the target.

    Raises:
        TargetError: a file of measured constants is broken.
    """
    for path in measured_files(folder, name):
        if path.is_file():
            table = Table.read(path)
            found = measured_of(table)
            energy = _complete(table, {**found}, {} if energy is None else _as_given(energy))
    return energy


def measured_of(table: Table) -> dict[str, Constant]:
    """The constants of a file of measured ones, by name.

    Raises:
        TargetError: the file is broken.
    """
    inner = table.table("energy")
    found = {name: _constant(one, name) for name in CONSTANTS if (one := inner.optional_table(name)) is not None}
    inner.finish()
    table.finish()
    return found


def measured_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Where measured constants of a target may lie; a later one is the stronger."""
    home = project().folder
    return (folder / MEASURED, *([] if home is None else [home / "measured" / f"{name}.toml"]))


def waits_modelled(energy: Energy) -> Energy:
    """The same for cycles that contain the flash's wait states: no factor for them, unless one was measured."""
    measured = energy.wait_factor.measured_on is not None
    return energy if measured else replace(energy, wait_factor=WAITS_MODELLED)


def _as_given(energy: Energy) -> dict[str, object]:
    kept = {"regulator": energy.regulator, "board": energy.board, **energy.constants}
    return {name: value for name, value in kept.items() if value is not None}


def _given(table: Table) -> dict[str, object]:
    found: dict[str, object] = {}
    regulator = table.optional_choice("regulator", REGULATORS)
    if regulator is not None:
        found["regulator"] = regulator
    for name in CONSTANTS:
        inner = table.optional_table(name)
        if inner is not None:
            found[name] = _constant(inner, name)
    return found


def _constant(table: Table, name: str) -> Constant:
    most = _MOST.get(name, 1e9)
    value = table.real("value", 0 if name in _NOTHING else math.ulp(0), most)
    constant = Constant(
        value=value,
        plus_minus=table.real("plus_minus", 0, most),
        source=table.text("source"),
        measured_on=table.optional_text("measured_on"),
        trace=table.optional_text("trace"),
    )
    table.finish()
    return constant


def _complete(table: Table, given: dict[str, object], base: dict[str, object]) -> Energy:
    both = {**base, **given}
    for key in ("regulator", "supply_mv", "clock_mhz"):
        if key not in both:
            raise table.fail(f"'{key}' is missing: give it, or a 'board' that has it", key)
    # Who says that the supply is another one says what a cycle takes there.
    other, own = ("cycle_pj", "cycle_pc") if both["regulator"] == "linear" else ("cycle_pc", "cycle_pj")
    if other in given:
        raise table.fail(f"'{other}' does not go with a {both['regulator']} regulator: give '{own}'", other)
    both.pop(other, None)
    if own not in both and "active_mw" not in both:
        raise table.fail(f"'{own}' is missing: say what a cycle takes, or give 'active_mw'", own)
    return Energy(**both)  # type: ignore[arg-type]
