# SPDX-License-Identifier: Apache-2.0
"""Each layer gets the cheapest variant that its core has and that its scratch allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.variants import VARIANTS
from tests.firmware_gen.modes import write_modes


def generated(tmp_path: Path, core: str, limit: int) -> GeneratedModel:
    return generate(write_modes(tmp_path), tmp_path / f"{core}{limit}", scratch_limit=limit, core=core)


def test_a_core_without_the_extension_runs_portable_kernels(tmp_path: Path) -> None:
    assert "dimmer_conv2d_s8_dsp" not in generated(tmp_path, "cortex-m0plus", 32768).kernels
    assert "dimmer_conv2d_s8_dsp" in generated(tmp_path, "cortex-m4", 32768).kernels


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
