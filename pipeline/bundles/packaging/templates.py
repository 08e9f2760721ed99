# SPDX-License-Identifier: Apache-2.0
"""Texts of packages, from the files in `templates/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.bundles.packaging.package import Package, plain

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, package: Package, **values: object) -> str:
    """A text from `templates/<template>.j2`.

    Args:
        package: whose text it is; the template sees it by this name.
        values: what else the template asks for.
    """
    return _environment().get_template(f"{template}.j2").render(package=package, **values)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # C, CMake and Markdown have all other brackets.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    made.filters["plain"] = plain
    return made
