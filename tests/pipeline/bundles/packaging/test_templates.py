# SPDX-License-Identifier: Apache-2.0
"""Templates are all used, and a name that they do not know is an error."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from dimmer.pipeline.bundles.packaging import templates
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.templates import TEMPLATES, render


def test_every_template_is_used() -> None:
    code = "".join(path.read_text() for path in TEMPLATES.parent.glob("*.py"))
    code += "".join(path.read_text() for path in TEMPLATES.iterdir())
    names = [path.name for path in TEMPLATES.iterdir()]
    assert len(names) > 15
    for name in names:
        assert name in code or f'"{name.removesuffix(".j2")}"' in code, name


def test_what_a_template_misses_is_an_error(blocks: Package) -> None:
    with pytest.raises(jinja2.UndefinedError, match="cores"):
        render("pdsc", blocks, date="", abi=1, sample="")


def test_templates_lie_in_the_package() -> None:
    assert Path(templates.__file__).parent == TEMPLATES.parent
