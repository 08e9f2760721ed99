# SPDX-License-Identifier: Apache-2.0
"""The C library and the Python package have one version."""

import re
import tomllib

from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.core.closure import ROOT


def test_the_version_is_the_package_s() -> None:
    found = re.findall(r"#define DIMMER_VERSION_(MAJOR|MINOR|PATCH) (\d+)", (INCLUDE / "dimmer.h").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert [name for name, _ in found] == ["MAJOR", "MINOR", "PATCH"]
    assert ".".join(number for _, number in found) == version
