# SPDX-License-Identifier: Apache-2.0
"""The adaptive ResNet: its shape, its costs, and which norms see what."""

import copy
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm

R14 = ResNetConfig((1, 1, 1), (1, 1, 1), (16, 32, 64), 3, (32, 32), 10)
SMALL = ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 3)


def small(seed: int = 0) -> ResNet:
    torch.manual_seed(seed)
    return ResNet(SMALL)


def images(seed: int = 1) -> torch.Tensor:
    return torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("config", [R14, ResNetConfig((2, 1), (1, 2), (6, 10), 1, (15, 9), 4)])
def test_costs_equal_the_macs_that_really_run(config: ResNetConfig) -> None:
    net = ResNet(config).eval()
    for mode in net.depth_patterns():
        counted = 0

        def count(module: nn.Module, _: object, out: torch.Tensor) -> None:
            nonlocal counted
            if isinstance(module, nn.Conv2d):
                counted += out[0].numel() * module.weight[0].numel()
            elif isinstance(module, nn.Linear):
                counted += module.weight.numel()

        hooks = [m.register_forward_hook(count) for m in net.modules()]
        with torch.no_grad():
            net(torch.zeros(1, config.in_channels, *config.image_size), mode)
        for hook in hooks:
            hook.remove()
        assert mode.macs(net.cost()) == counted


def test_all_norms_of_mandatory_blocks_have_twins_and_no_others() -> None:
    twins = {name for name, module in build("resnet", R14).named_modules() if isinstance(module, SkipAwareNorm)}
    assert twins == {
        *(f"stages.{s}.0.{norm}" for s in range(3) for norm in ("norm1", "norm2")),
        "stages.1.0.shortcut.norm",
        "stages.2.0.shortcut.norm",
    }


def test_a_stage_norm_follows_its_own_stages_flag_alone() -> None:
    net = small().train()
    before = copy.deepcopy(net.state_dict())
    net(images(), Mode.parse("80.88"))
    changed = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert any(name.startswith("stages.0.0.norm1.skipped") for name in changed)
    assert not any(name.startswith(("stages.0.0.norm1.executed", "stages.0.1")) for name in changed)
    assert any(name.startswith("stages.1.0.shortcut.norm.executed") for name in changed)
    assert not any(".skipped" in name and name.startswith("stages.1") for name in changed)


def test_a_skipped_block_has_no_part_in_the_result() -> None:
    net = small().eval()
    x = images()
    expected = net(x, net.base_mode())
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith(("stages.0.1", "stages.1.1")):
                parameter.fill_(float("nan"))
    assert torch.equal(net(x, net.base_mode()), expected)


def test_without_narrow_widths_there_is_no_norm_for_them() -> None:
    assert not any("of_bits" in name for name in small().state_dict())


def test_the_base_net_equals_the_network_trained_alone_with_its_weights() -> None:
    net = small().eval()
    alone = ResNet(SMALL.alone("base")).eval()
    own = {n.replace(".skipped", ""): t for n, t in net.state_dict().items() if ".executed" not in n}
    alone.load_state_dict({n: t for n, t in own.items() if not n.startswith(("stages.0.1", "stages.1.1"))})
    assert not any(isinstance(module, SkipAwareNorm) for module in alone.modules())
    assert torch.equal(alone(images(), alone.super_mode()), net(images(), net.base_mode()))


def test_every_activation_is_a_module_of_its_own_that_runs_once() -> None:
    net = small().eval()
    calls: list[str] = []
    for name, module in net.named_modules():
        if isinstance(module, nn.ReLU6):
            module.register_forward_hook(lambda *_, name=name: calls.append(name))
    net(images(), net.super_mode())
    assert len(calls) == len(set(calls)) == 1 + 2 * 4


def test_a_mode_must_be_given_and_must_fit() -> None:
    net = small()
    with pytest.raises(TypeError):
        net(images())
    with pytest.raises(DimmerError, match="does not fit"):
        net(images(), Mode.parse("88"))
    with pytest.raises(DimmerError, match="mandatory"):
        net(images(), Mode.parse("08.88"))


def test_a_deployed_network_goes_through_the_legacy_onnx_exporter(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    deployed = deploy(small().eval(), Mode.parse("80.88")).untapped()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(deployed, (images()[:1],), tmp_path / "net.onnx", dynamo=False, opset_version=17)
    nodes = [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node]
    assert nodes.count("Conv") == 1 + 2 * 3 + 1
    assert set(nodes) <= {"Conv", "Clip", "Constant", "Add", "GlobalAveragePool", "Flatten", "Gemm", "Identity"}


def test_a_series_is_the_image_whose_other_rows_are_padding() -> None:
    """1x3 kernels are the middle rows of 3x3 ones: what the others multiply is zero."""
    series = ResNet(replace(SMALL, image_size=(1, 16))).eval()
    wide = ResNet(SMALL).eval()
    state = series.state_dict()
    wide.load_state_dict(
        {
            name: F.pad(tensor, (0, 0, 1, 1)) if tensor.dim() == 4 and tensor.shape[2:] == (1, 3) else tensor
            for name, tensor in state.items()
        }
    )
    x = torch.randn(2, SMALL.in_channels, 1, 16, generator=torch.Generator().manual_seed(0))
    for mode in (series.super_mode(), series.base_mode()):
        assert torch.allclose(series(x, mode), wide(x, mode), atol=1e-5)
