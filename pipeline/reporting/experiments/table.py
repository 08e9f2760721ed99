# SPDX-License-Identifier: Apache-2.0
"""``models/<name>/experiments.toml``: tables of arms x seeds.

    [depth]
    about = "which base-net's loss"
    seeds = [1, 2, 3]
    compare = ["labels.base - alone-base.super"]
    changes = { "train.epochs" = 30 }

    [depth.arms.labels]
    changes = { "train.base_labels" = 0.5 }

    [depth.arms.alone-base]
    alone = "base"

    [depth.arms.widths]
    after = "labels"
    changes = { "train.base_labels" = 0.5, "model.bits" = [8, 4, 2], "qat.epochs" = 20, "qat.frozen" = true }

An arm is a recipe, this model's or another's, with the changes of the table and then its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import OneOf, bounded, require
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.modes.mode import FULL_BITS, base_mode, depth_patterns, super_mode
from dimmer.pipeline.recipe.read import read_section
from dimmer.pipeline.recipe.recipe import Recipe, find_recipe, load_recipe
from dimmer.pipeline.recipe.sections.training import MOST_SEED
from dimmer.toml import Lines, read_toml, shown

FILE = "experiments.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_COMPARED = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]+) - ([a-z0-9-]+)\.([a-z0-9.-]+)")


@dataclass(frozen=True)
class TableSection:
    """A table, but for its arms and changes.

    Attributes:
        about: what it asks, in a sentence.
        seeds: each arm is trained with each of these.
        compare: differences of accuracy, "labels.base - alone-base.super": an arm's network minus another's.
        margin: points; a mean difference over minus this is "not worse".
    """

    about: str
    seeds: tuple[int, ...]
    compare: tuple[str, ...] = ()
    margin: float = 0.3

    def __post_init__(self) -> None:
        require(len(set(self.seeds)) == len(self.seeds) > 0, "seeds", "must hold one or more, each once")
        for seed in self.seeds:
            bounded(seed, 0, MOST_SEED, "seeds")
        bounded(self.margin, 0, 100, "margin")
        for text in self.compare:
            require(_COMPARED.fullmatch(text) is not None, "compare", 'must be written "arm.network - arm.network"')


@dataclass(frozen=True)
class ArmSection:
    """An arm, but for its changes.

    Attributes:
        about: what is special about it.
        recipe: another model's name, whose recipe it is.
        alone: "super" or "base" for the plain network of that depth, whose one network is "super"; "" for the
            adaptive network.
        after: an arm with the same float training: widths are added to its network of the same seed.
    """

    about: str = ""
    recipe: str = ""
    alone: Annotated[str, OneOf(("", "super", "base"))] = ""
    after: str = ""

    def __post_init__(self) -> None:
        require(self.alone in ("", "super", "base"), "alone", "must be super or base, or be left out")
        require(not (self.alone and self.after), "after", "is for the adaptive network; leave it or alone out")


@dataclass(frozen=True)
class Arm:
    """What is trained.

    Attributes:
        name: in the table.
        about: what is special about it.
        recipe: with all changes.
        alone: as for a training.
        changes: key -> value in place of the recipe's.
        after: name of the arm with whose network it begins; "" where it begins with an untrained one.
    """

    name: str
    about: str
    recipe: Recipe
    alone: str | None
    changes: Mapping[str, Json]
    after: str = ""


@dataclass(frozen=True)
class Compared:
    """A network of an arm.

    Attributes:
        arm: its name.
        net: "super", "base", or another mode that the arm measures, such as 80.88 or 44.44.
    """

    arm: str
    net: str

    def __str__(self) -> str:
        return f"{self.arm}.{self.net}"


@dataclass(frozen=True)
class Table:
    """A table of trainings.

    Attributes:
        name: its own.
        model: the name of the model whose table it is.
        path: the file.
        about: what it asks.
        seeds: of each arm.
        arms: the most informative first.
        compare: pairs of networks; the first's accuracy minus the second's counts.
        margin: of "not worse", in points.
    """

    name: str
    model: str
    path: Path
    about: str
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    compare: tuple[tuple[Compared, Compared], ...]
    margin: float

    def arm(self, name: str) -> Arm:
        """An arm by name.

        Raises:
            DimmerError: it has no such arm.
        """
        found = next((arm for arm in self.arms if arm.name == name), None)
        if found is None:
            known = ", ".join(arm.name for arm in self.arms)
            raise DimmerError(f"{self.path}: table {self.name} has no arm {shown(name)}; it has {known}")
        return found


def load_tables(model: str | Path) -> tuple[Table, ...]:
    """The tables beside a model's recipe.

    Raises:
        DimmerError: there is no such model, it has no tables, or they are broken; the message names file, line and key.
    """
    recipe = find_recipe(model)
    path = recipe.with_name(FILE)
    if not path.is_file():
        raise DimmerError(f"{path.parent.name} has no experiments: write {path} (docs/experiments.md)")
    contents, where = read_toml(path)
    return tuple(_table(name, found, recipe, path, where) for name, found in contents.items())


def load_table(model: str | Path, name: str | None) -> Table:
    """The table of a name; the only one where no name is given.

    Raises:
        DimmerError: as `load_tables`, or there is no such table, or several to choose from.
    """
    tables = load_tables(model)
    found = [table for table in tables if name in (None, table.name)]
    if len(found) != 1:
        known = ", ".join(table.name for table in tables)
        why = "name one with --table" if name is None else f"there is no table {shown(name)}"
        raise DimmerError(f"{Path(model).name}: {why}; it has {known}")
    return found[0]


def _table(name: str, contents: Any, recipe: Path, path: Path, where: Lines) -> Table:
    _check_name(name, where, ())
    section = read_section(TableSection, contents, (name,), where, beside=("arms", "changes"))
    arms = contents.get("arms")
    if not isinstance(arms, dict) or not arms:
        raise DimmerError(f"{where.at((), name)}: {name} needs one or more arms, [{name}.arms.NAME]")
    common = _changes(contents, (name,), where)
    made = tuple(_arm(arm, found, common, recipe, (name, "arms"), where) for arm, found in arms.items())
    for arm in made:
        if why := _why_not_after(arm, made):
            at = where.at((name, "arms", arm.name), "after")
            raise DimmerError(f"{at}: arm {arm.name}: after = {shown(arm.after)}: {why}")
    compare = []
    for text in section.compare:
        match = _COMPARED.fullmatch(text)
        assert match is not None
        pair = Compared(match[1], match[2]), Compared(match[3], match[4])
        for one in pair:
            if one.arm not in arms:
                raise DimmerError(f"{where.at((name,), 'compare')}: {name}.compare: there is no arm {shown(one.arm)}")
            known = _networks(next(arm for arm in made if arm.name == one.arm))
            if one.net not in known:
                raise DimmerError(
                    f"{where.at((name,), 'compare')}: {name}.compare: {one}: {one.arm} has only {', '.join(known)}"
                )
        compare.append(pair)
    return Table(name, recipe.parent.name, path, section.about, section.seeds, made, tuple(compare), section.margin)


def _networks(arm: Arm) -> tuple[str, ...]:
    """The networks of an arm that are measured, by their names."""
    if arm.alone:
        return ("super",)
    config = arm.recipe.model.config
    sizes = config.mandatory, config.skippable
    narrow = [bits for bits in config.bits if bits != FULL_BITS]
    between = depth_patterns(*sizes)[1:-1]
    modes = [*between, *(make(*sizes, bits) for bits in narrow for make in (super_mode, base_mode))]
    return ("super", "base", *map(str, modes))


def _arm(
    name: str, contents: Any, common: Mapping[str, Json], recipe: Path, inside: tuple[str, ...], where: Lines
) -> Arm:
    _check_name(name, where, inside)
    place = (*inside, name)
    section = read_section(ArmSection, contents, place, where, beside=("changes",))
    changes = {**common, **_changes(contents, place, where)}
    try:
        made = load_recipe(section.recipe or recipe, changes)
    except DimmerError as error:
        raise DimmerError(f"{where.at(inside, name)}: arm {name}: {error}") from error
    return Arm(name, section.about, made, section.alone or None, changes, section.after)


def _why_not_after(arm: Arm, arms: Sequence[Arm]) -> str | None:
    """Why an arm cannot begin with the network of the one that it names; None where it can, or names none."""
    if not arm.after:
        return None
    first = next((other for other in arms if other.name == arm.after), None)
    if first is None or first is arm:
        return f"there is no such arm; others are {', '.join(other.name for other in arms if other is not arm)}"
    if first.alone or first.after or first.recipe.qat.epochs or first.recipe.polish.epochs:
        return "its network is no adaptive one of float epochs alone, without [qat] and [polish]; name one that is"
    if not arm.recipe.qat.epochs:
        return "there is nothing to add: give qat.epochs and model.bits in its changes"
    if _float_training(arm.recipe) != _float_training(first.recipe):
        return "the float trainings differ: give both the same changes of [train], [teacher] and the network"
    return None


def _float_training(recipe: Recipe) -> tuple[object, ...]:
    """What of a recipe decides its network before widths are added."""
    model = {key: value for key, value in recipe.model.keys().items() if key != "bits"}
    return model, recipe.train, recipe.teacher, recipe.source


def _changes(contents: Any, place: tuple[str, ...], where: Lines) -> dict[str, Json]:
    found = contents.get("changes", {})
    if not isinstance(found, dict) or any(isinstance(value, dict) for value in found.values()):
        at = where.at(place, "changes")
        raise DimmerError(f'{at}: changes must be written {{ "section.key" = value }}, each key in quotes')
    return dict(found)


def _check_name(name: str, where: Lines, inside: tuple[str, ...]) -> None:
    if not _NAME.fullmatch(name):
        at = where.at(inside, name)
        raise DimmerError(f"{at}: {shown(name)} is no name of a table or an arm; take small letters, digits and -")
