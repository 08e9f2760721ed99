# SPDX-License-Identifier: Apache-2.0
"""What is built, for what, and where."""

from pathlib import Path

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target


def test_deliverables_lie_in_the_target_s_folder(tmp_path: Path) -> None:
    context = BuildContext(load_recipe("mnist5k-r14"), load_target("host"), tmp_path / "mnist5k-r14")
    assert context.target_dir == tmp_path / "mnist5k-r14" / "host"
