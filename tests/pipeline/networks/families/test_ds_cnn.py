# SPDX-License-Identifier: Apache-2.0
"""The adaptive DS-CNN: its blocks, what is narrow in them, and the road to firmware."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.ds_cnn import DSCNN
from dimmer.pipeline.networks.families.ds_cnn_config import DSCNNConfig
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm
from tests.pipeline.networks.families import road

SMALL = DSCNNConfig((1, 2), (1, 1), (4, 6), 1, (21, 10), 3)

RECIPE = """\
[model]
family = "ds_cnn"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [8, 12]
bits = [8, 4]
kernel = [10, 4]
strides = [2, 2]

[qat]
epochs = 1
share = 0.25
""" + road.REST.replace(
    'force = "all"\nlimit = 32',
    'force = ["88.88", "88.80", "80.88", "80.80", "44.44", "40.40", "84.80"]\nsearch = 0\nlimit = 7',
)


def test_it_costs_holds_and_folds_what_it_says() -> None:
    for config in (SMALL, replace(SMALL, kernel=(1, 5), strides=(1, 2), image_size=(1, 20))):
        net = road.network("ds_cnn", config)
        road.check_costs(net)
        road.check_entries(net)
        road.check_deployed(net)
        road.check_one_blob(net)
        road.check_gradients(net, Mode.parse("80.888"), Mode.parse("88.880"))


def test_norms_of_mandatory_blocks_have_twins_and_no_others() -> None:
    twins = {name for name, module in DSCNN(SMALL).named_modules() if isinstance(module, SkipAwareNorm)}
    mandatory = ("0.0", "1.0", "1.1")
    assert twins == {f"stages.{block}.{norm}_norm" for block in mandatory for norm in ("depthwise", "pointwise")}


def test_a_skipped_block_is_the_identity() -> None:
    net = road.network("ds_cnn", SMALL)
    blocks = [block for stage in range(2) for block in net.stage(stage)]
    assert [getattr(block, "adds", None) for block in blocks] == [True, True, False, True, True]


def test_only_the_pointwise_convolution_is_narrow() -> None:
    config = replace(SMALL, bits=(8, 4, 2))
    net = road.network("ds_cnn", config)
    deployed = deploy(net, Mode.parse("84.248"))
    assert set(deployed.narrow_weights()) == {"0.1.pointwise", "1.0.out", "1.1.pointwise"}
    assert set(deployed.narrow_tensors()) == {"0.1.depthwise", "1.0.depthwise", "1.1.depthwise"}
    assert config.cost().wide == tuple(tuple(SMALL.pixels * 9 * c for c in row) for row in ((4, 4), (4, 6, 6)))
    with torch.no_grad():
        x = road.images(config)
        torch.testing.assert_close(deployed(x), net(x, deployed.mode), atol=0.05, rtol=0.0)


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
def test_every_mode_is_exact_on_host_and_boards(builds: Path) -> None:
    found = road.walk(builds, "road-ds-cnn", RECIPE, "mps2-an386", "mps3-an547")
    assert len(found.modes) == 7
    road.check_exact(found)
