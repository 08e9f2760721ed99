# SPDX-License-Identifier: Apache-2.0
"""Families: what the files of many boards would say alike, said once. `family` in target.toml names one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.toml import read_toml, shown

FAMILIES = Path(__file__).resolve().parent.parent / "families"
FILE = "family.toml"
KEY = "family"


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
    """The table of a target.toml, with what its family says where it says nothing itself.

    Raises:
        TargetError: a file cannot be read or is not TOML, or there is no such family.
    """
    try:
        values, lines = read_toml(path)
        name = values.get(KEY)
        if name is None:
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
