"""Calibration of a real, if tiny, network."""

import json

import pytest
import torch

from dimmer.pipeline import calibrate
from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.checkpoint import load_network
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.subnets import calibrated
from dimmer.pipeline.subnets.norms import trained_prefix
from dimmer.pipeline.subnets.tables import print_tables
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_every_pattern_is_measured_and_judged(tiny: TinyBuild) -> None:
    contents = load_calibration(tiny.build / "calibrate").contents
    assert [m["name"] for m in contents["modes"]] == ["88.88", "80.88", "88.80", "80.80"]
    for mode in contents["modes"]:
        assert 0.0 <= mode["accuracy"] <= 1.0
        assert not mode["published"] or mode["dominated_by"] is None
        assert mode["reason"]


def test_super_base_and_forced_modes_are_published_in_order_of_cost(tiny: TinyBuild) -> None:
    assert load_calibration(tiny.build / "calibrate").published == ("88.88", "88.80", "80.80")


def test_block_boundaries_of_a_stage_have_one_range_in_all_modes(tiny: TinyBuild) -> None:
    calibration = load_calibration(tiny.build / "calibrate")
    for stage in ("0", "1"):
        ranges = {
            calibration.ranges(m["name"])[site]
            for m in calibration.contents["modes"]
            for site in m["sites"]
            if site.startswith(f"{stage}.") and site.endswith(".out")
        }
        assert len(ranges) == 1


def test_recalibration_is_kept_only_where_it_gains(tiny: TinyBuild) -> None:
    calibration = load_calibration(tiny.build / "calibrate")
    for mode in calibration.contents["modes"]:
        statistics = calibration.statistics(mode["name"])
        assert bool(statistics) == mode["recalibrated"]
        if mode["recalibrated"]:
            assert mode["accuracy_float"] > mode["accuracy_as_trained"]
        if mode["name"] in ("88.88", "80.80"):
            assert not mode["recalibrated"]


@pytest.mark.parametrize(
    ("mode", "blocks"),
    [
        ("88.88", {"0.0", "0.1", "1.0", "1.1"}),
        ("80.88", {"0.0"}),
        ("44.80", {"0.0", "0.1"}),
        ("84.44", {"0.0"}),
        ("48.88", {"0.0"}),
    ],
)
def test_a_mode_shares_the_norms_of_blocks_with_which_a_trained_mode_begins(mode: str, blocks: set[str]) -> None:
    network = ResNet(ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 10, (8, 4, 2)))
    names = trained_prefix(network, Mode.parse(mode))
    assert "stem.norm" in names
    assert {name.split("stages.")[1] for name in names if name.endswith("norm1")} == {f"{b}.norm1" for b in blocks}


def test_the_input_keeps_the_pixel_grid(tiny: TinyBuild) -> None:
    low, high = load_calibration(tiny.build / "calibrate").ranges("88.88")["input"]
    assert (high - low) / 255 == 1 / 64
    assert low == -2.0


def test_a_second_run_has_nothing_to_do(tiny: TinyBuild) -> None:
    assert calibrate.run(tiny.recipe, tiny.build, silent).cached


def test_calibration_repeats_bit_for_bit(tiny: TinyBuild, tmp_path: object) -> None:
    from pathlib import Path

    out = Path(str(tmp_path))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    calibrated.calibrate(tiny.recipe, load_network(tiny.recipe), out, silent)
    torch.set_num_threads(threads)
    again = json.loads((out / "calibration.json").read_text())
    assert again == load_calibration(tiny.build / "calibrate").contents


def test_folding_leaves_the_function_alone(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    x = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for name in ("88.88", "80.80"):
        mode = Mode.parse(name)
        with torch.no_grad():
            # Weights are rounded to their int8 grid, so equal to about one part in 127, not to the last bit.
            assert torch.allclose(deploy(network, mode)(x), network(x, mode), atol=0.3)


def test_groups_follow_norm_variants(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    executed, skipped = deploy(network, Mode.parse("88.88")), deploy(network, Mode.parse("80.80"))
    assert range_group(executed, "0.0.conv1") == "0.0.conv1@executed"
    assert range_group(skipped, "0.0.conv1") == "0.0.conv1@skipped"
    assert range_group(executed, "0.1.out") == range_group(skipped, "0.0.out") == "stream.0"


def test_tables_are_printed(tiny: TinyBuild, capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(load_calibration(tiny.build / "calibrate"))
    text = capsys.readouterr().out
    assert "stream.1" in text
    assert "published" in text
