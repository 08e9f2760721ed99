"""A family is known to its own modules alone, and one from elsewhere goes the whole road."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.gates import recipe_gates
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.family import families, family_module, register
from dimmer.pipeline.networks.gates.budget import GateConfig, gated_cost
from dimmer.pipeline.networks.gates.network import GatedNetwork, Gates
from dimmer.pipeline.networks.sites import boundaries, positions
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.subnets.norms import trained_prefix
from dimmer.targets import load_target
from tests.pipeline.networks.toy_family import ToyConfig, ToyNetwork
from tests.tiny import TinyBuild, calibrated, converted, silent

register("toy", "tests.pipeline.networks.toy_family")

TOY = """\
[model]
family = "toy"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 2]
widths = [8, 16]
bits = [8, 4]
kernel = 5

[train]
epochs = 1
batch = 64
lr = 0.05
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[qat]
epochs = 1

[gates]
options = [8, 4, 0]
warmup_epochs = 1
front_images = 64
epochs = 1
tune_epochs = 0
images = 256
budgets = [0.8, 0.4]

[calibration]
images = 64
bn_images = 256

[selection]
force = ["88.800", "84.480"]
limit = 6

[verify]
images = 20
"""
MODES = ("88.888", "88.800", "84.480", "80.800", "44.444", "40.400")
SMALL = ToyConfig((1, 2), (1, 1), (4, 6), 1, (9, 8), 3, (8, 4, 2))

OWN_WORDS = re.compile(r"resnet(?!_quant)|\bconv[12]\b|shortcut|[\"']stages\.", re.IGNORECASE)
"""Words of the ResNets; ``pretrainedResnet_quant`` is a file of MLPerf Tiny."""


def sources() -> Iterator[Path]:
    for folder in ("pipeline", "calibration", "firmware_gen", "targets"):
        yield from (ROOT / folder).rglob("*.py")


def of_a_family(path: Path) -> bool:
    return path.parent == ROOT / "pipeline" / "networks" / "families"


def test_no_module_but_the_familys_own_says_its_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        if not of_a_family(path)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OWN_WORDS.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_module_but_the_familys_own_imports_it() -> None:
    package = "dimmer.pipeline.networks.families"
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                own = of_a_family(path) and name.startswith(f"{package}.{path.stem.removesuffix('_config')}")
                assert own or not name.startswith(package), f"{path} imports {name}"


def test_a_recipe_is_read_without_torch() -> None:
    code = "import sys; from dimmer.pipeline.recipe.recipe import load_recipe; load_recipe('mnist5k-r14')"
    code += "; assert not {'torch', 'dimmer.pipeline.networks.families.resnet'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_families_are_found_by_their_names() -> None:
    assert {"resnet", "toy"} <= set(families())
    assert family_module("resnet") == "dimmer.pipeline.networks.families.resnet"
    assert family_module("toy") == "tests.pipeline.networks.toy_family"
    register("toy", "tests.pipeline.networks.toy_family")
    with pytest.raises(DimmerError, match=r"unknown network family 'lenet'; known are: .*resnet.*, toy"):
        family_module("lenet")
    with pytest.raises(DimmerError, match="a network family 'resnet' already"):
        register("resnet", "tests.pipeline.networks.toy_family")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kernel = 5", "kernel = 4", 8, "model.kernel = 4: must be 3 or 5"),
        ("kernel = 5", 'kernel = "5"', 8, "model.kernel = '5' must be a whole number"),
        ("kernel = 5", "kernels = 5", 8, r"unknown key 'kernels' in \[model\]; known are: family, dataset, .*, kernel"),
        ('"toy"', '"resnet"', 8, r"unknown key 'kernel' in \[model\]; known are: family, dataset, mandatory"),
        ('"toy"', '"lenet"', 2, "model.family = 'lenet': must be one of .*resnet"),
        ('family = "toy"', 'famly = "toy"', 2, r"unknown key 'famly' in \[model\]; known are: family, dataset"),
        ('family = "toy"\n', "", 1, r"key 'family' is missing in \[model\]"),
        ("widths = [8, 16]\n", "", 1, r"key 'widths' is missing in \[model\]"),
        ("[8, 16]", "[1, 2, 4, 8, 16]", 6, r"model.widths = \[1, .*\]: must have one entry a stage"),
        ("bits = [8, 4]", "bits = [4]", 7, r"model.bits = \[4\]: must hold 8"),
        ("limit = 6", "limit = 6\n[teacher]\nepochs = 1\nwidths = [9]", 42, r"teacher.widths = \[9\]: must have one"),
    ],
)
def test_a_broken_key_of_a_family_names_file_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(TOY.replace(old, new))
    with pytest.raises(DimmerError, match=says) as failure:
        load_recipe(path)
    assert str(failure.value).startswith(f"{path}, line {line}: ")


def test_a_section_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("model = 3\n")
    with pytest.raises(DimmerError, match=r"line 1: model must be a section, \[model\]"):
        load_recipe(path)


def small() -> ToyNetwork:
    torch.manual_seed(0)
    network = build("toy", SMALL)
    assert isinstance(network, ToyNetwork)
    with torch.no_grad():
        for i, module in enumerate(network.modules()):
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                module.running_mean.fill_(0.01 * i)
    return network.eval()


def images(count: int = 6) -> torch.Tensor:
    return torch.randn(count, 1, 9, 8, generator=torch.Generator().manual_seed(1))


def test_the_toys_cost_equals_the_macs_that_really_run() -> None:
    network = small()
    for mode in network.depth_patterns():
        counted = 0

        def count(module: nn.Module, _: object, out: torch.Tensor) -> None:
            nonlocal counted
            if isinstance(module, nn.Conv2d):
                counted += out[0].numel() * module.weight[0].numel()
            elif isinstance(module, nn.Linear):
                counted += module.weight.numel()

        hooks = [module.register_forward_hook(count) for module in network.modules()]
        with torch.no_grad():
            network(images(1), mode)
        for hook in hooks:
            hook.remove()
        assert mode.macs(network.cost()) == counted, str(mode)


def test_what_enters_a_stage_is_what_its_gates_pool() -> None:
    network, stream = small(), small().stem(images(1))
    for number, entry in enumerate(SMALL.entries()):
        assert (entry.channels, entry.pixels) == (stream.shape[1], stream.shape[2] * stream.shape[3])
        for block in network.stage(number):
            stream = block(stream, False)


@pytest.mark.parametrize("name", ["88.888", "80.440", "24.480"])
def test_the_parameters_of_a_mode_are_those_that_get_gradients(name: str) -> None:
    network, mode = small().train(), Mode.parse(name)
    network(images(), mode).sum().backward()
    assert network.parameters_in(mode) == {p for p in network.parameters() if p.grad is not None}


def test_a_gated_run_is_a_run_of_the_modes_that_its_gates_chose() -> None:
    network, shape = small(), GateConfig(features=3, hidden=4)
    gates = Gates(SMALL, shape)
    for head in gates.heads:
        nn.init.normal_(head.weight, 0, 3.0)  # type: ignore[arg-type]
    gated = GatedNetwork(network, gates, gated_cost(SMALL, network.cost(), shape)).eval()
    x, level = images(), torch.linspace(0, 255, 6)
    with torch.no_grad():
        outcome = gated(x, level)
        for image, logits, bits in zip(x, outcome.logits, outcome.bits().tolist(), strict=True):
            mode = Mode((tuple(bits[:2]), tuple(bits[2:])))
            torch.testing.assert_close(network(image[None], mode)[0], logits)
    assert len({tuple(bits) for bits in outcome.bits().tolist()}) > 1


@pytest.mark.parametrize(
    ("mode", "blocks"),
    [("80.888", {"0.0"}), ("80.880", {"0.0", "1.0", "1.1"}), ("88.880", {"0.0", "0.1"}), ("84.444", {"0.0"})],
)
def test_a_mode_begins_like_a_trained_one_in_the_toy_too(mode: str, blocks: set[str]) -> None:
    names = trained_prefix(small(), Mode.parse(mode))
    assert "stem.1" in names
    norms = [name.split(".") for name in names if name.endswith("inner_norm")]
    assert {f"{stage}.{block}" for _, stage, block, _ in norms} == blocks


@pytest.mark.parametrize("name", ["88.888", "44.440", "20.480"])
def test_the_deployed_toy_computes_what_was_trained(name: str) -> None:
    network, mode = small(), Mode.parse(name)
    with torch.no_grad():
        # Weights of 8 bits are rounded to their grid, so equal to about one part in 127.
        expected, got = network(images(), mode), deploy(network, mode)(images())
    assert float((got - expected).abs().max()) < 0.05 * float(expected.abs().max())


def test_the_toys_sites_groups_and_narrow_tensors() -> None:
    deployed = deploy(small(), Mode.parse("84.880"))
    seen: list[str] = []

    def record(site: str, x: torch.Tensor) -> torch.Tensor:
        seen.append(site)
        return x

    deployed(images(), record)
    inner = ["depthwise", "project", "out"]
    assert seen == [
        "input",
        "stem",
        *(f"0.{b}.{tensor}" for b in (0, 1) for tensor in inner),
        "1.0.depthwise",
        "1.0.out",
        *(f"1.1.{tensor}" for tensor in inner),
        "pool",
        "logits",
    ]
    assert set(deployed.narrow_tensors()) == {"0.1.depthwise"}
    assert {site: w.reads for site, w in deployed.narrow_weights().items()} == {"0.1.project": "0.1.depthwise"}
    groups = [range_group(deployed, site) for site in ("stem", "0.1.project", "1.0.depthwise", "1.0.out")]
    assert groups == ["stem", "0.1.project@shared/4", "1.0.depthwise@skipped", "stream.1"]


def test_a_skipped_block_repeats_the_boundary_before_it() -> None:
    mode = Mode.parse("80.840")
    assert [position.name for position in positions(mode)] == ["stem", "0.0", "0.1", "1.0", "1.1", "1.2", "head"]
    assert boundaries(mode) == ("stem", "0.0.out", "0.0.out", "1.0.out", "1.1.out", "1.1.out")


@dataclass(frozen=True)
class ToyBuild:
    """A toy network at the end of the road.

    Attributes:
        verified: verify.json.
    """

    made: TinyBuild
    gates: GateSet
    verified: dict[str, object]


@pytest.fixture(scope="session")
def toy(builds: Path, tmp_path_factory: pytest.TempPathFactory) -> ToyBuild:
    """Trained, calibrated, exported, converted, generated for the host and verified there."""
    from dimmer.pipeline import firmware, train_gates, verify

    made = calibrated(builds, tmp_path_factory.mktemp("toy"), "toy", TOY)
    train_gates.run(made.recipe, made.build, silent)
    converted(made)
    host = load_target("host")
    firmware.run(made.recipe, made.build, host, silent)
    verify.run(made.recipe, made.build, host, silent)
    gates = recipe_gates(made.recipe)
    assert gates is not None
    verified = json.loads((verify_folder(made.build, "host") / "verify.json").read_text())
    return ToyBuild(made, gates, verified)


@pytest.mark.xdist_group("toy")
def test_every_mode_and_switch_of_the_toy_is_bit_exact_on_the_host(toy: ToyBuild) -> None:
    modes, switches = toy.verified["modes"], toy.verified["switches"]
    assert isinstance(modes, list)
    assert isinstance(switches, dict)
    assert tuple(mode["name"] for mode in modes) == MODES
    for mode in modes:
        assert (mode["host"]["samples"], mode["host"]["mismatches"]) == (20, 0)
        assert mode["accuracy"] == pytest.approx(mode["accuracy_float"], abs=0.1)
    assert switches["host"]["samples"] > 20
    assert switches["host"]["mismatches"] == 0


@pytest.mark.xdist_group("toy")
def test_gates_of_the_toy_are_bit_exact_on_the_host(toy: ToyBuild) -> None:
    found = toy.verified["gates"]
    assert isinstance(found, dict)
    assert (found["samples"], found["mismatches"]) == (20, {"host": 0})
    assert [len(stage) for stage in toy.gates.stages] == [2, 3]
    assert [stage[0].entry.shape[1] for stage in toy.gates.stages] == [9, 9]


@pytest.mark.xdist_group("toy")
def test_the_toy_learnt_something_and_shares_its_weights(toy: ToyBuild) -> None:
    calibration = load_calibration(toy.made.build / "calibrate")
    assert calibration.published == MODES
    assert calibration.mode("88.888")["accuracy"] > 0.5
    files = {source.name: source.path.read_bytes() for source in mode_sources(toy.made.build / "convert")}
    from ai_edge_litert.interpreter import Interpreter

    def depthwise(mode: str) -> bytes:
        interpreter = Interpreter(model_content=files[mode])
        interpreter.allocate_tensors()
        index = next(d["index"] for d in interpreter.get_tensor_details() if d["name"] == "0.0.depthwise/weights")
        data: bytes = interpreter.get_tensor(index).tobytes()
        return data

    assert len({depthwise(mode) for mode in MODES}) == 1
