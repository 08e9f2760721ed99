# SPDX-License-Identifier: Apache-2.0
"""Steps that become one where something can run the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.graph.passes import prepare
from dimmer.firmware_gen.lower.steps import Buffer, Scratch, Step
from dimmer.firmware_gen.memory.share import Block, build_block
from dimmer.firmware_gen.read.modes import read_modes
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.firmware_gen.variants.fuse import fuse_entries, fuse_sums
from tests.firmware_gen.narrow_network import Shape, write_modes
from tests.firmware_gen.tflite_builder import Layers

SMALL = Shape(10, (8, 12), 2)
MODES = ("88.88", "44.44", "22.22", "84.20", "42.24")


def always(_step: Step) -> bool:
    return True


def never(_step: Step) -> bool:
    return False


def kernels(block: Block) -> list[str]:
    return [step.kernel.name.removeprefix("dimmer_") for step in block.steps]


def block_of(build: Callable[[Layers, int], int]) -> Block:
    """The block of a network on int8[1,6,6,4]."""
    net = Layers(0)
    x = net.activation([1, 6, 6, 4], 0.05, 3)
    return build_block(prepare(parse_tflite(net.build(x, build(net, x)), "net.tflite")), 0)


def test_a_sum_takes_the_convolution_before_it_in() -> None:
    block = block_of(lambda net, x: net.residual(x))
    fused = fuse_sums(block, always)
    assert (kernels(block), kernels(fused)) == (["conv2d_s8", "conv2d_s8", "add_s8"], ["conv2d_s8", "conv2d_add_s8"])
    conv, add, one = block.steps[1], block.steps[2], fused.steps[1]
    assert (one.layer, one.macs, one.scratch_bytes) == (add.layer, conv.macs, conv.scratch_bytes)
    assert one.fields["weights"] == conv.fields["weights"]
    assert one.fields["add_multiplier_output"] == add.fields["multiplier_output"]
    # The convolution's result is the second operand and has no buffer any more; the first may be overwritten.
    assert (one.fields["operand"], one.fields["add_input1"], one.fields["add_input2"]) == (2, Buffer(0), Scratch())
    assert one.in_place == (0,)
    assert len(fused.sizes) == len(block.sizes) - 1
    assert fused.names[fused.output] == block.names[block.output]


def test_nothing_is_fused_that_nothing_runs() -> None:
    block = block_of(lambda net, x: net.residual(x))
    assert fuse_sums(block, never) == block
    assert fuse_entries(block, never) == block


def test_a_result_that_somebody_else_reads_stays() -> None:
    def twice(net: Layers, x: int) -> int:
        y = net.conv(x, 4)
        return net.elementwise("MUL", net.elementwise("ADD", x, y), y)

    assert kernels(fuse_sums(block_of(twice), always)) == ["conv2d_s8", "add_s8", "mul_s8"]


def test_a_sum_with_a_row_of_values_stays() -> None:
    def broadcast(net: Layers, x: int) -> int:
        pooled = net.pool("AVERAGE_POOL_2D", x, (6, 6), (1, 1), "VALID", "NONE")
        return net.elementwise("ADD", x, net.conv(pooled, 4, (1, 1)))

    assert kernels(fuse_sums(block_of(broadcast), always))[-2:] == ["conv2d_s8", "add_s8"]


def entry(net: Layers, x: int) -> int:
    return net.operator("QUANTIZE", [x], net.activation([1, 6, 6, 4], 0.4, -128, "narrow"))


def test_a_quantize_goes_into_all_the_convolutions_that_read_it() -> None:
    def both(net: Layers, x: int) -> int:
        narrow = entry(net, x)
        return net.elementwise("MUL", net.conv(narrow, 4), net.conv(narrow, 4))

    block = block_of(both)
    fused = fuse_entries(block, always)
    assert kernels(fused) == ["entry_conv2d_s8", "entry_conv2d_s8", "mul_s8"]
    quantize = block.steps[0].fields
    for step in fused.steps[:2]:
        assert step.reads == (0,)
        assert step.fields["entry_multiplier"] == quantize["multiplier"]
        assert step.fields["entry_zero_point"] == quantize["input_zero_point"] == 3
    assert "narrow" not in fused.names


def test_a_quantize_that_another_operator_reads_stays() -> None:
    def mixed(net: Layers, x: int) -> int:
        narrow = entry(net, x)
        return net.elementwise("MUL", net.conv(narrow, 4), narrow)

    assert kernels(fuse_entries(block_of(mixed), always)) == ["requantize_s8", "conv2d_s8", "mul_s8"]


def test_entry_and_sum_become_one_step(tmp_path: Path) -> None:
    narrow = read_modes(write_modes(tmp_path, SMALL, ("88.88", "44.44")))[1]
    block = fuse_entries(fuse_sums(build_block(narrow, 1), always), always)
    assert kernels(block) == ["entry_conv2d_s8", "conv2d_add_s8"]


def test_a_quantize_stays_where_no_kernel_could_take_it(tmp_path: Path) -> None:
    modes = write_modes(tmp_path, SMALL, MODES)
    assert "dimmer_requantize_s8_table" in generate(modes, tmp_path / "m0", core="cortex-m0").kernels
    assert "dimmer_requantize_s8_table" not in generate(modes, tmp_path / "m4", core="cortex-m4").kernels


def test_a_step_that_clamps_is_no_entry() -> None:
    def with_entry(kind: str) -> list[str]:
        def build(net: Layers, x: int) -> int:
            return net.conv(net.operator(kind, [x], net.activation([1, 6, 6, 4], 0.06, -20)), 4)

        return kernels(fuse_entries(block_of(build), always))

    assert with_entry("QUANTIZE") == ["entry_conv2d_s8"]
    assert with_entry("RELU") == ["requantize_s8", "conv2d_s8"]
