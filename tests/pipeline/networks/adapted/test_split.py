# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.probe import probe
from dimmer.pipeline.networks.adapted.source import build_module
from dimmer.pipeline.networks.adapted.split import find_split, make_split, mandatory_of
from tests.pipeline.networks.adapted.nets import Plain, Residual, images, single, small


def chain(blocks: int) -> nn.Module:
    """A network whose blocks are all alike."""
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Sequential(*(Residual(4, 4) for _ in range(blocks)))).eval()


def test_a_stage_takes_in_the_block_that_changes_the_shape() -> None:
    split = find_split(probe(small(), images(1)))
    assert [stage.blocks for stage in split.stages] == [("one.0", "one.1"), ("two.0", "two.1")]
    assert (split.mandatory, split.skippable) == ((1, 1), (1, 1))
    assert split.stages[1].given == (6, 4, 4)
    assert split.stages[1].made == (8, 2, 2)


@pytest.mark.parametrize(("blocks", "mandatory"), [(2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (12, 6)])
def test_half_of_a_stage_is_mandatory(blocks: int, mandatory: int) -> None:
    assert mandatory_of(blocks) == mandatory


def test_blocks_all_alike_are_grouped() -> None:
    probed = probe(chain(8), images(1))
    assert find_split(probed).mandatory == (1, 1, 1, 1)
    assert find_split(probed, 2).mandatory == (2, 2)
    with pytest.raises(DimmerError, match="8 blocks are not 3 stages"):
        find_split(probed, 3)
    assert find_split(probe(chain(3), images(1))).mandatory == (2,)
    with pytest.raises(DimmerError, match="--groups is for networks with a single stage"):
        find_split(probe(small(), images(1)), 2)


def test_norms_outside_have_twins_where_blocks_stand_alone() -> None:
    split = find_split(probe(single().eval(), images(1)))
    assert split.outer_twins
    (stage,) = split.stages
    assert stage.blocks == ("4", "5")
    assert set(stage.norms) == {"1", "3.norm1", "3.norm2", "6.norm1", "6.norm2", "8"}
    split = find_split(probe(small(), images(1)))
    assert not split.outer_twins
    assert [stage.norms for stage in split.stages] == [(), ("between.1",)]


def test_the_table_has_the_macs_of_every_mode() -> None:
    split = find_split(probe(small(), images(1)))
    lines = split.table().splitlines()
    assert lines[1].split()[:3] == ["0", "one.0", "one.1"]
    assert [line.split()[0] for line in lines[-4:]] == ["88.88", "88.80", "80.88", "80.80"]
    assert lines[-4].split()[1:] == ["0.03", "1.00"]


def test_a_network_with_nothing_to_skip_is_told_why() -> None:
    with pytest.raises(DimmerError, match="no identity path"):
        find_split(probe(Plain(), images(1)))
    with pytest.raises(DimmerError, match=r"each residual block \(2.0\) is the only one of its shape"):
        find_split(probe(chain(1), images(1)))


def test_stages_of_the_users_are_checked() -> None:
    probed = probe(small(), images(1))
    assert make_split(probed, [("two.0", "two.1")], [1]).skippable == (1,)
    with pytest.raises(DimmerError, match="calls no module 'three'"):
        make_split(probed, [("three", "two.1")], [1])
    with pytest.raises(DimmerError, match=r"'two.0' cannot be skipped"):
        make_split(probed, [("one.1", "two.0")], [1])


PAPERS = {
    "torchvision:resnet18": "1/1 1/1 1/1 1/1",
    "torchvision:mobilenet_v2": "1/1 2/1 2/2 2/1 2/1",
    "torchvision:swin_t": "1/1 1/1 3/3 1/1",
    "torchvision:vit_b_16": "2/1 2/1 2/1 2/1",
    "torchvision:resnet50": "2/1 2/2 3/3 2/1",
    "timm:resnet26": "1/1 1/1 1/1 1/1",
    "timm:mobilenetv2_050": "1/1 2/1 2/2 2/1 2/1",
    "timm:vit_tiny_patch16_224": "2/1 2/1 2/1 2/1",
    "timm:swin_tiny_patch4_window7_224": "1/1 1/1 3/3 1/1",
    "timm:levit_128s": "1/1 2/1 2/2",
    "timm:mobilenetv4_conv_small": "3/3 3/3",
    "timm:mixer_s32_224": "1/1 1/1 1/1 1/1",
    "timm:poolformer_s12": "1/1 1/1 3/3 1/1",
    "timm:pvt_v2_b0": "1/1 1/1 1/1 1/1",
    "timm:regnetx_002": "2/2 4/3",
    "timm:convnext_atto": "1/1 1/1 3/3 1/1",
}
NONE = ("torchvision:densenet121", "torchvision:shufflenet_v2_x0_5", "torchvision:vgg11", "timm:repvgg_a0")


def installed(source: str) -> str:
    """The source, where its library is installed."""
    library = source.partition(":")[0]
    if importlib.util.find_spec(library) is None or importlib.util.find_spec("torchvision") is None:
        pytest.skip(f"{library} is not installed: pip install '.[adapt]'")
    return source


@pytest.mark.slow
@pytest.mark.parametrize("source", PAPERS)
def test_networks_of_libraries_are_split_as_in_the_papers_and_stay_what_they_are(source: str) -> None:
    from dimmer.pipeline.networks.adapted.adaptive import adapt

    torch.manual_seed(0)
    network = build_module(installed(source))
    with torch.no_grad():
        # Factories set classifiers or the last gamma of each block to zero, after which every mode gives the same.
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    sample = torch.randn(1, 3, 224, 224)
    adaptive = adapt(network, sample)
    split = adaptive.split
    assert " ".join(f"{m}/{s}" for m, s in zip(split.mandatory, split.skippable, strict=True)) == PAPERS[source]
    with torch.no_grad():
        assert torch.equal(adaptive(sample, adaptive.super_mode()), network(sample))
        assert not torch.equal(adaptive(sample, adaptive.base_mode()), network(sample))


@pytest.mark.slow
@pytest.mark.parametrize("source", NONE)
def test_networks_without_identity_paths_are_refused(source: str) -> None:
    network = build_module(installed(source))
    with pytest.raises(DimmerError, match="no identity path"):
        find_split(probe(network, torch.randn(1, 3, 224, 224)))
