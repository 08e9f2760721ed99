# SPDX-License-Identifier: Apache-2.0
"""onnx2tf wrote its simplified graph over the exported file, so that no build was ever found unchanged."""

import pytest

from dimmer.pipeline import convert, export
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_the_exported_files_stay_as_they_were(tiny_converted: TinyBuild) -> None:
    assert export.run(tiny_converted.recipe, tiny_converted.build, silent).cached
    assert convert.run(tiny_converted.recipe, tiny_converted.build, silent).cached
