# SPDX-License-Identifier: Apache-2.0
"""The base-net of a network with a stage that is always executed was taken for a mixed pattern.

Its skip flags differ, as that stage's is never set: its norms, which were trained, were measured anew.
"""

from __future__ import annotations

import pytest

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.subnets.norms import is_mixed

CONFIG = ResNetConfig((1, 1, 1), (1, 0, 1), (4, 4, 4), 1, (8, 8), 3)


@pytest.mark.parametrize(
    ("mode", "mixed"), [("88.8.88", False), ("80.8.80", False), ("80.8.88", True), ("88.8.80", True)]
)
def test_only_what_skips_some_sub_paths_and_not_others_is_mixed(mode: str, mixed: bool) -> None:
    assert is_mixed(Mode.parse(mode), CONFIG) == mixed
