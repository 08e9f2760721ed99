# SPDX-License-Identifier: Apache-2.0
"""What is asked for becomes an order: kinds of cores, files, recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.bundles.packaging.order import foreign_package, kinds_of, recipe_package
from dimmer.pipeline.bundles.packaging.source import make_package
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.firmware_gen.networks import tiny_resnet
from tests.tiny import TinyBuild


def test_cores_of_one_kind_are_one() -> None:
    assert [kind.core for kind in kinds_of(["cortex-m7", "cortex-m33", "rv32imac"])] == ["cortex-m4", "rv32imc"]


@pytest.mark.parametrize("core", ["avr", "cortex-a53", "", "rv64gc", "host"])
def test_a_core_that_nobody_knows(core: str) -> None:
    with pytest.raises(FirmwareGenError, match=r"no core is known as .*: take one of cortex-m0, .*, portable$"):
        kinds_of([core])


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    order = foreign_package([path], kinds_of(["portable"]))
    assert (order.model.name, order.classes, order.encoding) == ("resnet", (), "")


def test_a_recipe_that_was_not_converted(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="is not converted; run"):
        recipe_package(load_recipe("mnist5k-r14"), tmp_path, kinds_of(["portable"]))


@pytest.mark.slow
def test_a_recipe(tiny_converted: TinyBuild) -> None:
    order = recipe_package(tiny_converted.recipe, tiny_converted.build, kinds_of(["cortex-m4", "portable"]))
    assert order.classes == tuple("0123456789")
    assert order.encoding == "uint8 pixels [28][28][1], code = pixel - 128"
    # Without tiers of its own a recipe gets the knee of its menu, and the cheapest mode where the battery is low.
    chosen = [tier.mode for tier in order.model.policy.tiers]
    assert chosen == sorted(set(chosen))
    assert chosen[-1] == len(order.model.modes) - 1
    package = make_package(order)
    assert package.modes[0] == order.model.modes[0].name
    assert package.classes == order.classes
