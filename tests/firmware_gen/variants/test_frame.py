# SPDX-License-Identifier: Apache-2.0
"""Each layer gets the cheapest variant that its core has and that its scratch allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.memory.share import Block, BlockSet
from dimmer.firmware_gen.variants import VARIANTS, choose, features_of
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.variants.steps import conv

M4 = features_of("cortex-m4")


def generated(tmp_path: Path, core: str, limit: int) -> GeneratedModel:
    return generate(write_modes(tmp_path), tmp_path / f"{core}{limit}", scratch_limit=limit, core=core)


def test_a_core_without_the_extension_runs_portable_kernels(tmp_path: Path) -> None:
    assert not any(name.endswith("_dsp") for name in generated(tmp_path, "cortex-m0plus", 32768).kernels)
    assert "dimmer_conv2d_s8_paired_dsp" in generated(tmp_path, "cortex-m4", 32768).kernels


def test_less_scratch_never_makes_a_layer_cheaper(tmp_path: Path) -> None:
    costs = [
        sum(choice.chosen.instructions for choice in generated(tmp_path, "cortex-m4", limit).choices)
        for limit in (256, 1024, 4096, 32768)
    ]
    assert costs == sorted(costs, reverse=True)


def test_scratch_stays_within_what_was_allowed(tmp_path: Path) -> None:
    for limit in (256, 1024, 4096):
        for choice in generated(tmp_path, "cortex-m4", limit).choices:
            assert choice.chosen.scratch <= choice.allowed
            assert choice.allowed >= limit


def test_other_candidates_are_a_trade(tmp_path: Path) -> None:
    for choice in generated(tmp_path, "cortex-m4", 1024).choices:
        for other in choice.others:
            assert other.instructions < choice.chosen.instructions or other.scratch < choice.chosen.scratch


def test_a_limit_that_nothing_fits_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="bytes of scratch, the limit is"):
        generated(tmp_path, "cortex-m4", 16)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.kernel.name)
def test_a_variant_has_the_fields_of_what_it_replaces(variant: object) -> None:
    from dimmer.firmware_gen.variants import Variant

    assert isinstance(variant, Variant)
    names = [field.name for field in variant.kernel.fields]
    for field in variant.replaces.fields:
        assert field.name in names or field.name.startswith("reserved")


def kernels_of(*changes: dict[str, int]) -> list[str]:
    """The kernels of one layer in modes that differ so, all with the same weights."""
    macs = 16 * 16 * 8 * 144
    steps = [replace(conv(output_zero_point=-128, stride_w=2, **change), macs=macs) for change in changes]
    blocks = tuple(Block((step,), (4096, 2048), 1, ("in", "out")) for step in steps)
    schedules = tuple((number,) for number in range(len(blocks)))
    chosen, _ = choose(BlockSet(blocks, (0,) * len(blocks), schedules), VARIANTS, M4, None)
    return [block.steps[0].kernel.name for block in chosen.blocks]


def test_weights_that_a_mode_slices_are_stored_once() -> None:
    assert kernels_of({"weight_bits": 8}) == ["dimmer_conv2d_s8_paired_dsp"]
    assert "dimmer_conv2d_s8_paired_dsp" not in kernels_of({"weight_bits": 8}, {"weight_bits": 4})


def test_weights_that_a_mode_cannot_run_in_another_order_are_stored_once() -> None:
    assert kernels_of({}, {"biases": 1001}) == ["dimmer_conv2d_s8_paired_dsp"] * 2
    # The sums are too large for two channels in a halfword.
    alone, beside = kernels_of({"biases": 1 << 23}), kernels_of({}, {"biases": 1 << 23})
    assert "dimmer_conv2d_s8_paired_dsp" not in [*alone, *beside]
    assert beside == alone * 2
