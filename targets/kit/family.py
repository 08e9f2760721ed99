# SPDX-License-Identifier: Apache-2.0
"""What a target.toml leaves to others: to its family, and a variant of a board to that board's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.toml import Lines, read_toml, shown

FAMILIES = Path(__file__).resolve().parent.parent / "families"
FILE = "family.toml"
KEY = "family"
VARIANT = "variant_of"
"""Names the folder beside this one whose target.toml says the rest: the same board at another clock."""


def family_names() -> list[str]:
    """Names of the families, sorted."""
    return sorted(path.parent.name for path in FAMILIES.glob(f"*/{FILE}"))


def common_keys() -> dict[str, Any]:
    """The keys that some family says, with a value of it.

    Raises:
        DimmerError: a family's file cannot be read.
    """
    found: dict[str, Any] = {}
    for name in family_names():
        found = merged(found, read_toml(FAMILIES / name / FILE)[0])
    return found


def read_target_table(path: Path) -> Table:
    """The table of a target.toml, with what the board of which it is a variant says where it says nothing itself, and
    its family where neither does.

    Raises:
        TargetError: a file cannot be read or is not TOML, or there is no such family or board.
    """
    try:
        values, lines = read_toml(path)
        if VARIANT in values:
            values = merged(_board_of(values[VARIANT], path, lines), values)
        name = values.get(KEY)
        if name is None:
            if "board" in values and "toolchain" not in values:
                known = ", ".join(family_names())
                raise TargetError(f"{lines.at((), KEY)}: '{KEY}' is missing: a board is one of {known}")
            return Table(values, lines)
        if name not in family_names():
            known = ", ".join(family_names())
            raise TargetError(f"{lines.at((), KEY)}: '{KEY}' is {shown(name)}: give it one of {known}")
        common, _ = read_toml(FAMILIES / name / FILE)
    except TargetError:
        raise
    except DimmerError as error:
        raise TargetError(str(error)) from error
    return Table(merged(common, values), lines)


def _board_of(name: Any, path: Path, lines: Lines) -> Mapping[str, Any]:
    """What the file of a board says, of which the file at `path` is a variant."""
    beside, ours = path.parent.parent, FAMILIES.parent
    # A copy in somebody's project may be a variant of a board that is Dimmer's.
    boards = {
        file.parent.name: file
        for folder in (ours, beside)
        for file in sorted(folder.glob(f"*/{path.name}"))
        if file.parent != path.parent
    }
    board = boards.get(name) if isinstance(name, str) else None
    if board is None:
        near = sorted(known for known, file in boards.items() if file.parent.parent == beside)
        raise TargetError(
            f"{lines.at((), VARIANT)}: '{VARIANT}' is {shown(name)}: give it a target of the folder {beside}"
            f"{', one of ' + ', '.join(near) if near else ', which has no other'}; or one that 'dimmer targets' lists"
        )
    values, _ = read_toml(board)
    if VARIANT in values:
        raise TargetError(f"{lines.at((), VARIANT)}: '{VARIANT}' is {shown(name)}, itself a variant: name its board")
    return values


def merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: of a key that both have, the second's value; of tables, both.

    Example:
        >>> merged({"a": 1, "t": {"x": 1, "y": 2}}, {"a": 2, "t": {"y": 3}})
        {'a': 2, 't': {'x': 1, 'y': 3}}
    """
    found = dict(common)
    for key, value in own.items():
        before = found.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        found[key] = merged(before, value) if both and before is not None else value
    return found
