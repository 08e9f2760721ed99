# SPDX-License-Identifier: Apache-2.0
"""A family is known to its own modules alone, and one from elsewhere goes the whole road."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.gates import recipe_gates
from dimmer.pipeline.artifacts.verification import Verified, verify_folder
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.networks.family import families, family_module, register
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
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
batch = 128
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[qat]
epochs = 1
share = 0.25

[gates]
options = [8, 4, 0]
warmup_epochs = 1
front_images = 64
epochs = 1
tune_epochs = 0
images = 256
budgets = [0.8, 0.4]

[calibration]
images = 32
bn_images = 128

[selection]
force = ["84.400"]
limit = 5

[verify]
images = 20
"""
MODES = ("88.888", "84.400", "80.800", "44.444", "40.400")

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
                # One family may be made of another's blocks.
                assert of_a_family(path) or not name.startswith(package), f"{path} imports {name}"


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
        ("limit = 5", "limit = 5\n[teacher]\nepochs = 1\nwidths = [9]", 43, r"teacher.widths = \[9\]: must have one"),
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


@dataclass(frozen=True)
class ToyBuild:
    """A toy network at the end of the road.

    Attributes:
        verified: what came of it on the host.
    """

    made: TinyBuild
    gates: GateSet
    verified: Verified


@pytest.fixture(scope="session")
def toy(builds: Path, tmp_path_factory: pytest.TempPathFactory) -> ToyBuild:
    """Trained, calibrated, exported, converted, generated for the host and verified there."""
    from dimmer.pipeline import firmware, train_gates, verify

    made = calibrated(builds, "toy", TOY)
    train_gates.run(made.recipe, made.build, silent)
    converted(made)
    host = load_target("host")
    firmware.run(made.recipe, made.build, host, silent)
    verify.run(made.recipe, made.build, host, silent)
    gates = recipe_gates(made.recipe)
    assert gates is not None
    return ToyBuild(made, gates, Verified.load(verify_folder(made.build, "host")))


@pytest.mark.xdist_group("toy")
def test_every_mode_and_switch_of_the_toy_is_bit_exact_on_the_host(toy: ToyBuild) -> None:
    modes, switches = toy.verified.modes, toy.verified.switches
    assert tuple(mode.name for mode in modes) == MODES
    for mode in modes:
        assert (mode.host.samples, mode.host.mismatches) == (20, 0)
        assert mode.accuracy == pytest.approx(mode.accuracy_float, abs=0.1)
    assert switches.host is not None
    assert switches.host.samples > 20
    assert switches.host.mismatches == 0


@pytest.mark.slow
@pytest.mark.xdist_group("toy")
def test_gates_of_the_toy_are_bit_exact_on_the_host(toy: ToyBuild) -> None:
    found = toy.verified.gates
    assert found is not None
    assert (found.samples, found.mismatches) == (20, {"host": 0})
    assert [len(stage) for stage in toy.gates.stages] == [2, 3]
    assert [stage[0].entry.shape[1] for stage in toy.gates.stages] == [9, 9]


@pytest.mark.xdist_group("toy")
def test_the_toy_learnt_something_and_shares_its_weights(toy: ToyBuild) -> None:
    calibration = Calibration.load(calibration_folder(toy.made.build))
    assert calibration.published == MODES
    assert calibration.mode("88.888").accuracy > 0.5
    files = {source.name: source.path.read_bytes() for source in mode_sources(toy.made.build / "convert")}
    from ai_edge_litert.interpreter import Interpreter

    def depthwise(mode: str) -> bytes:
        interpreter = Interpreter(model_content=files[mode])
        interpreter.allocate_tensors()
        index = next(d["index"] for d in interpreter.get_tensor_details() if d["name"] == "0.0.depthwise/weights")
        data: bytes = interpreter.get_tensor(index).tobytes()
        return data

    assert len({depthwise(mode) for mode in MODES}) == 1
