# SPDX-License-Identifier: Apache-2.0
"""Kernels are chosen by how long a core's multiplications take, and as many are counted as run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.variants import VARIANTS, features_of
from dimmer.firmware_gen.variants.conv import shape_of
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import FITTED, Latency, Products, latency_keys
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import Target, load_target
from tests.firmware_gen.networks import tiny_mobile, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers
from tests.firmware_gen.variants.steps import conv

IBEX_SMALL = Latency(multiply=3, multiply_high=4, load_store=2)


@pytest.mark.parametrize(
    ("core", "keys"),
    [
        ("cortex-m0plus", ("multiply",)),
        ("cortex-m3", ("multiply_add_long",)),
        ("cortex-m33+nodsp", ("multiply_add_long",)),
        ("rv32imac", ("multiply", "multiply_high", "load_store")),
        ("cortex-m4", ()),
        ("cortex-m55", ()),
        ("host", ()),
    ],
)
def test_what_kernels_of_a_core_depend_on(core: str, keys: tuple[str, ...]) -> None:
    assert latency_keys(features_of(core)) == keys


def test_products_cost_what_they_take_beyond_those_that_were_fitted() -> None:
    products = Products(words=100, high=10) + Products(add_long=3).times(2)
    assert products.cost(500, FITTED) == 500
    assert products.cost(500, Latency(multiply=3, multiply_high=4)) == 500 + 200 + 20
    assert products.cost(500, Latency(multiply_add_long=4)) == 500 - 12
    assert products.cost(500, Latency(load_store=2)) == 500 + 90


def layer(**changes: int) -> Step:
    """A convolution of 3x3 with its multiply-accumulates."""
    made = conv(**changes)
    shape = shape_of(made)
    return replace(made, macs=shape.pixels * shape.output_c * shape.input_c * 9)


def cheapest(core: str, step: Step, latency: Latency) -> tuple[str, Settings]:
    """The kernel and its settings, whatever the scratch."""
    found = [
        (variant.cost_with(latency, step, settings), variant.kernel.name, settings)
        for variant in VARIANTS
        if variant.features <= features_of(core) and variant.replaces == step.kernel and variant.supports(step)
        for settings in variant.settings(step)
    ]
    _, name, settings = min(found, key=lambda one: one[0])
    return name, settings


def test_a_slow_multiplier_takes_the_kernel_with_fewer_products() -> None:
    """A first layer of three channels: two products of a word save time where a product takes three cycles."""
    first = layer(input_c=3, stride_h=2, stride_w=2, output_h=8, output_w=8, output_c=16)
    assert cheapest("rv32imac", first, FITTED)[0] == "dimmer_conv2d_s8_panel"
    assert cheapest("rv32imac", first, IBEX_SMALL)[0] == "dimmer_conv2d_s8_pairs"


def test_a_multiplication_of_32_cycles_takes_winograd() -> None:
    shallow = layer(input_c=4, input_h=10, input_w=10, output_h=10, output_w=10)
    assert cheapest("cortex-m0plus", shallow, FITTED)[0] == "dimmer_conv2d_s8_pairs"
    assert cheapest("cortex-m0plus", shallow, Latency(multiply=32))[0] == "dimmer_conv2d_s8_winograd"


def test_outputs_are_rescaled_by_the_long_multiplication_where_it_is_short() -> None:
    """SMLAL takes a Cortex-M3 4 to 7 cycles; the model counts ResNet-8 with 24.92 M cycles where it takes 4 and outputs
    are rescaled by products of words, and with 25.05 M where they are by SMLAL. Others have it in one.
    """
    deep = layer(input_c=8)
    for cycles, small in ((1, 0), (4, 1), (6, 1), (7, 1)):
        name, settings = cheapest("cortex-m3", deep, Latency(multiply_add_long=cycles))
        assert (name, settings["small"]) == ("dimmer_conv2d_s8_winograd", small)


def test_a_target_chooses_by_its_own_latency(tmp_path: Path) -> None:
    """On RTL this layer takes ibex-small 502,829 cycles with the panel's kernel and 473,651 with the other."""
    net = Layers(3)
    x = net.activation([1, 24, 24, 3], 1 / 64, 0)
    path = tmp_path / "first.tflite"
    path.write_bytes(net.build(x, net.conv(x, 16, (3, 3), stride=(2, 2), activation="RELU")))

    def kernels(name: str) -> set[str]:
        target = load_target(name)
        sources = [ModeSource("m", path)]
        tables = tables_of(sources, PolicyConfig(), None, target.scratch_limit, target.core, target.latency)
        return {record.kernel.name for record in tables.records}

    assert kernels("ibex-maxperf") == kernels("riscv-virt") == {"dimmer_conv2d_s8_panel"}
    assert kernels("ibex-small") == {"dimmer_conv2d_s8_pairs"}


def with_latency(target: Target, latency: Latency) -> Target:
    """That takes such a latency, and chooses kernels as before."""
    assert target.timing is not None
    return replace(target, timing=replace(target.timing, latency=latency))


@pytest.mark.slow  # two networks built and timed twice on two boards
@pytest.mark.parametrize(
    ("board", "attribute", "most"), [("mps2-an385-v6m", "multiply", 32), ("mps2-an385", "multiply_add_long", 7)]
)
def test_as_many_products_are_counted_as_run(
    board: str, attribute: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a layer takes longer with a slower multiplier is how many multiplications it has."""
    said: dict[tuple[str, str], Products] = {}
    apply = Variant.apply

    def noted(variant: Variant, step: Step, settings: Settings) -> Step:
        said[step.layer, variant.kernel.name] = variant.products(step, settings)
        return apply(variant, step, settings)

    monkeypatch.setattr(Variant, "apply", noted)
    target = load_target(board)
    least = getattr(FITTED, attribute)
    compared = 0
    for build in (tiny_resnet, tiny_mobile):
        path = tmp_path / f"{build.__name__}.tflite"
        path.write_bytes(build(3))

        def figures(cycles: int, path: Path = path) -> Firmware:
            chosen = with_latency(target, replace(FITTED, **{attribute: cycles}))
            return make(foreign_order([path], samples=0), chosen, tmp_path / f"{path.stem}{cycles}", lambda *_: None)

        for fast, slow in zip(figures(least).steps, figures(most).steps, strict=True):
            if "conv2d_s8_" in fast.kernel or "conv2d_add_s8_" in fast.kernel:
                assert fast.cycles is not None
                assert slow.cycles is not None
                counted = (slow.cycles - fast.cycles) / (most - least)
                expected = said[fast.layer, fast.kernel].cost(0, replace(FITTED, **{attribute: least + 1}))
                assert expected == pytest.approx(counted, rel=0.05)
                compared += 1
    assert compared >= 4
