# SPDX-License-Identifier: Apache-2.0
"""Where a user's own things lie: his recipes, his targets, his builds.

A project is a folder with a `dimmer.toml`, found from the working directory upwards, or named by `DIMMER_PROJECT`.
Without one, builds go to `build/` in a checkout of Dimmer, else in the working directory.

Environment variables, each stronger than the project's file: `DIMMER_BUILD` (folder of builds), `DIMMER_MODELS` and
`DIMMER_TARGETS` (folders of recipes and of targets, searched before the project's and Dimmer's own; several as in
PATH).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.toml import plain, read_toml, shown

FILE = "dimmer.toml"

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "noxfile.py").is_file() else None
"""The checkout that Dimmer runs from; None where it is installed."""

MODELS = (CHECKOUT or _PACKAGE) / "models"
"""The recipes that come with Dimmer."""


@dataclass(frozen=True)
class Key:
    """A key of [project], a string.

    Attributes:
        meaning: in a sentence.
        default: where it is missing; empty for none.
        example: of a value.
    """

    meaning: str
    default: str
    example: str


KEYS = {
    "model": Key("Model that commands take where none is named: a name, or the path of its folder.", "", "mnist5k-r14"),
    "target": Key("Target that commands take where none is named: a name, or the path of its folder.", "", "host"),
    "models": Key("Folder of your recipes: <name>/recipe.toml.", "models", "models"),
    "targets": Key("Folder of your targets: <name>/target.toml.", "targets", "targets"),
    "build": Key("Folder of all builds.", "build", "build"),
}
"""The keys of [project] in `dimmer.toml`."""


@dataclass(frozen=True)
class Project:
    """What `dimmer.toml` says, with absolute paths.

    Attributes:
        folder: where the file lies; None without one.
        model: that commands take where none is named: a name, or the path of a recipe's folder.
        target: the same of targets.
        build: the folder of all builds.
        models: folders with the user's recipes, one folder each, the first that has a name wins.
        targets: the same of targets.
    """

    folder: Path | None
    model: str | None
    target: str | None
    build: Path
    models: tuple[Path, ...]
    targets: tuple[Path, ...]


def find_project(start: Path | None = None) -> Path | None:
    """The `dimmer.toml` in force: DIMMER_PROJECT's, else the first one from ``start`` (working directory) upwards.

    Raises:
        DimmerError: DIMMER_PROJECT names a folder without one.
    """
    named = os.environ.get("DIMMER_PROJECT")
    if named:
        path = Path(named) if Path(named).is_file() else Path(named) / FILE
        if not path.is_file():
            raise DimmerError(f"DIMMER_PROJECT={named}: there is no {FILE}; write one with 'dimmer init {named}'")
        return path.absolute()
    folder = (start or Path.cwd()).absolute()
    return next((place / FILE for place in (folder, *folder.parents) if (place / FILE).is_file()), None)


def project(start: Path | None = None) -> Project:
    """The project in force, with what the environment says.

    Raises:
        DimmerError: its file is broken; the message names file and key.
    """
    path = find_project(start)
    read = {} if path is None else _read(path)
    value = {name: read.get(name, key.default) for name, key in KEYS.items()}
    folder = None if path is None else path.parent
    build = (folder or CHECKOUT or (start or Path.cwd()).absolute()) / value["build"]
    own = [] if folder is None else [folder / value["models"], folder / value["targets"]]
    return Project(
        folder,
        _named(folder, value["model"] or None),
        _named(folder, value["target"] or None),
        Path(os.environ.get("DIMMER_BUILD") or build).absolute(),
        (*_folders("DIMMER_MODELS"), *own[:1]),
        (*_folders("DIMMER_TARGETS"), *own[1:]),
    )


def cache_folder() -> Path:
    """For what is fetched or made once and serves every project: $DIMMER_CACHE, else ~/.cache/dimmer.

    Raises:
        DimmerError: the variable is not set, and the user has no home.
    """
    named = os.environ.get("DIMMER_CACHE")
    try:
        return Path(named or Path.home() / ".cache" / "dimmer").absolute()
    except RuntimeError as error:
        # As in a container, of a user id that no system file knows.
        raise DimmerError("this user has no home folder: name a folder that can be written in DIMMER_CACHE") from error


def model_folders() -> tuple[Path, ...]:
    """Folders with recipes, one folder each: the user's, then Dimmer's own."""
    return (*project().models, MODELS)


def model_names() -> tuple[str, ...]:
    """Names of the models that have a recipe, sorted."""
    return tuple(sorted({path.parent.name for folder in model_folders() for path in folder.glob("*/recipe.toml")}))


def _read(path: Path) -> dict[str, str]:
    table, lines = read_toml(path)
    for key in table:
        if key != "project":
            raise DimmerError(f"{lines.at((), key)}: unknown section [{plain(key)}]; there is one, [project]")
    section = table.get("project", {})
    if not isinstance(section, dict):
        raise DimmerError(f"{path}: project must be a section, [project]")
    for key, value in section.items():
        if key not in KEYS:
            at = lines.at(("project",), key)
            raise DimmerError(f"{at}: unknown key {shown(key)} in [project]; known are: {', '.join(KEYS)}")
        if not isinstance(value, str) or not value or not value.isprintable():
            at = lines.at(("project",), key)
            raise DimmerError(f'{at}: project.{key} = {shown(value)}: must be a text, such as "{KEYS[key].example}"')
    return section


def _named(folder: Path | None, name: str | None) -> str | None:
    """A name as it is; a path, which has a slash, from the project's folder."""
    return name if folder is None or name is None or "/" not in name else str((folder / name).resolve())


def _folders(variable: str) -> tuple[Path, ...]:
    return tuple(Path(name).absolute() for name in os.environ.get(variable, "").split(os.pathsep) if name)
