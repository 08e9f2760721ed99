# SPDX-License-Identifier: Apache-2.0
"""The stage that calibrates."""

import pytest

from dimmer.pipeline import calibrate
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_a_second_run_has_nothing_to_do(tiny: TinyBuild) -> None:
    assert calibrate.run(tiny.recipe, tiny.build, silent).cached
