# SPDX-License-Identifier: Apache-2.0
"""What a new project is to have, checked word by word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.heard import Heard
from dimmer.pipeline.data.own import DataSection
from dimmer.project import MODELS
from dimmer.targets.target import FILE, TARGETS

TEMPLATE, TARGET = "mnist5k-r14", "host"
"""What a project has where nothing else is asked for."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class OwnSamples:
    """Data of one's own.

    Attributes:
        section: of the recipe, from which its path counts.
        samples: how many there are.
        heard: the front end between recordings and network; None for none.
        notes: what was not taken of the data, or may be meant otherwise, a line each.
    """

    section: DataSection
    samples: int
    heard: Heard | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AdaptedModel:
    """A network of one's own that was made adaptive.

    Attributes:
        keys: of [model], but for the data set.
        dataset: a known one; empty where it is data of one's own.
        pretrained: whether its weights are worth keeping, which a training with a small learning rate does.
        source: where it is from, for the recipe's first line.
    """

    keys: Mapping[str, Json]
    dataset: str
    pretrained: bool
    source: str


@dataclass(frozen=True)
class Wanted:
    """What a new project is to have.

    Attributes:
        name: of its model.
        template: the model of Dimmer whose recipe the model begins with.
        target: the target of Dimmer that commands take where none is named.
        own_target: name of a target of its own, a copy of that one, which commands then take; None for none.
        own: data of one's own, for which the recipe is made instead of the template's; None for none.
        adapted: a network of one's own, for which the recipe is made, too; None for none.

    Raises:
        DimmerError: one of them is no such name.
    """

    name: str
    template: str = TEMPLATE
    target: str = TARGET
    own_target: str | None = None
    own: OwnSamples | None = field(default=None, kw_only=True)
    adapted: AdaptedModel | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name)
        check_template(self.template)
        check_target(self.target)
        if self.own_target is not None:
            check_own_target(self.own_target)


def templates() -> tuple[str, ...]:
    """Names of the models that come with Dimmer, sorted."""
    return tuple(sorted(path.parent.name for path in MODELS.glob("*/recipe.toml")))


def shipped_targets() -> tuple[str, ...]:
    """Names of the targets that come with Dimmer, sorted."""
    return tuple(sorted(path.parent.name for path in TARGETS.glob(f"*/{FILE}")))


def check_name(name: str) -> str:
    """A model's name.

    Raises:
        DimmerError: it is none, or is one of Dimmer's own.
    """
    return _own(name, "model", templates())


def check_own_target(name: str) -> str:
    """The name of a target of the project's own; raises as `check_name`."""
    return _own(name, "target", shipped_targets())


def check_template(name: str) -> str:
    """Raises DimmerError where no model of Dimmer has the name."""
    return _known(name, "model", templates())


def check_target(name: str) -> str:
    """Raises DimmerError where no target of Dimmer has the name."""
    return _known(name, "target", shipped_targets())


def name_from(folder: Path) -> str:
    """A model's name after a folder's, as near as may be."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.absolute().name).strip("-_").lower()[:40]
    try:
        return check_name(name)
    except DimmerError:
        return "lamp"


def _own(name: str, kind: str, taken: tuple[str, ...]) -> str:
    if not _NAME.fullmatch(name):
        raise DimmerError(f"'{name}' is no name for a {kind}: take up to 40 letters, digits, - and _, a letter first")
    if name in taken:
        raise DimmerError(f"'{name}' is a {kind} that comes with Dimmer: take another name")
    return name


def _known(name: str, kind: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise DimmerError(f"there is no {kind} '{name}': take one of {', '.join(known)}")
    return name
