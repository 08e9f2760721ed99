# SPDX-License-Identifier: Apache-2.0
"""Formats by name, and the files of each."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of, find_format
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_common_files(name: str, blocks: Package) -> None:
    files = files_of(blocks, find_format(name))
    assert {*blocks.runtime, *blocks.model, *blocks.notices, "README.md"} < set(files)
    assert list(files) == sorted(files)
    for path, text in files.items():
        assert text.endswith("\n"), path
        assert not path.startswith("/")
        assert ".." not in path
    assert len(kinds_of(FORMATS[name].cores)) == len(FORMATS[name].cores)


def test_a_format_that_nobody_knows() -> None:
    with pytest.raises(DimmerError, match="--format 'conan': there are cmake, zephyr, platformio, arduino, cmsis-pack"):
        find_format("conan")
