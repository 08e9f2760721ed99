# SPDX-License-Identifier: Apache-2.0
"""The files of a new project, as texts."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

from dimmer.pipeline.projects.comments import comment, commented, sections_without
from dimmer.pipeline.projects.recipes import adapted_text, recipe_text
from dimmer.pipeline.projects.wanted import Wanted
from dimmer.pipeline.schemas.files import DIRECTIVE, FileKind, make_schema, named, shipped_schema
from dimmer.pipeline.schemas.project import MEANING
from dimmer.project import FILE, KEYS, MODELS
from dimmer.targets.target import OWN, TARGETS

SCHEMAS = PurePosixPath(".dimmer/schemas")
IGNORED = "/build/"
"""What git need not keep."""


def project_files(wanted: Wanted) -> dict[PurePosixPath, str]:
    """Path in the project -> text; the file that makes the folder a project is the last."""
    files = {SCHEMAS / kind.schema: shipped_schema(kind).read_text(encoding="utf-8") for kind in FileKind}
    files[PurePosixPath("models", wanted.name, "recipe.toml")] = _recipe(wanted)
    if wanted.own_target is not None:
        files[PurePosixPath("targets", wanted.own_target, "target.toml")] = _target(wanted.target)
    files[PurePosixPath(".gitignore")] = f"{IGNORED}\n"
    files[PurePosixPath(FILE)] = _project(wanted)
    return files


def _recipe(wanted: Wanted) -> str:
    schema = make_schema(FileKind.RECIPE)
    if wanted.adapted is not None:
        begins, lines = f"adapted from {wanted.adapted.source}", adapted_text(wanted.adapted, wanted.own).splitlines()
    elif wanted.own is not None:
        begins, lines = "guessed from your data", recipe_text(wanted.own.section, wanted.own.samples).splitlines()
    else:
        begins = f"which begins as Dimmer's {wanted.template}"
        lines = _body((MODELS / wanted.template / "recipe.toml").read_text(encoding="utf-8"))
    first = [
        f"# {wanted.name}, {begins}. Keys that are left out have their defaults;",
        "# what is wrong is told with file, line and key. The first line lets editors complete keys.",
    ]
    made = wanted.own is not None or wanted.adapted is not None
    body = commented("\n".join([*first, "", *lines] if made else [*first, *lines]), schema)
    rest = sections_without("\n".join(lines), schema)
    return named(f"{body}\n{rest}" if rest else body, str(PurePosixPath("../..") / SCHEMAS / FileKind.RECIPE.schema))


def _target(template: str) -> str:
    """That of a target of Dimmer; the files that it names are found from anywhere."""
    folder = TARGETS / template
    text = (folder / "target.toml").read_text(encoding="utf-8")
    first = [f"# Begins as Dimmer's {template}; '{OWN}' before a path is the folder of Dimmer's own targets.", ""]
    body = re.sub(r'"([^"\n]+)"', lambda found: _from_anywhere(folder, found), "\n".join([*first, *_body(text)]))
    schema = PurePosixPath("../..") / SCHEMAS / FileKind.TARGET.schema
    return named(commented(body, make_schema(FileKind.TARGET)), str(schema))


def _from_anywhere(folder: Path, quoted: re.Match[str]) -> str:
    path = (folder / quoted[1]).resolve()
    if Path(quoted[1]).is_absolute() or not path.is_file() or not path.is_relative_to(TARGETS):
        return quoted[0]
    return f'"{OWN}{path.relative_to(TARGETS).as_posix()}"'


def _project(wanted: Wanted) -> str:
    given = {"model": wanted.name, "target": wanted.own_target or wanted.target}
    lines = [f"{DIRECTIVE}{SCHEMAS / FileKind.PROJECT.schema}", *comment(MEANING), "", "[project]"]
    for name, key in KEYS.items():
        lines += comment(key.meaning)
        lines.append(
            f"{name} = {json.dumps(given[name])}" if name in given else f"# {name} = {json.dumps(key.default)}"
        )
    return "\n".join(lines) + "\n"


def _body(text: str) -> list[str]:
    """The lines of a file of Dimmer without the first one, which names the schema, and that of Dimmer's licence: what
    is written is the user's.
    """
    return [line for line in text.splitlines()[1:] if not line.startswith("# SPDX-License-Identifier:")]
