# SPDX-License-Identifier: Apache-2.0
"""Tables of experiments: those that ship are sound, and a broken one says file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.experiments.table import Compared, Table, load_table, load_tables
from tests.pipeline.reporting.experiments.small import TABLE, WIDTHS, table_in


def test_an_arm_is_the_recipe_with_the_table_s_changes_and_its_own(table: Table) -> None:
    labels, alone = table.arms
    assert (labels.name, labels.about, labels.alone) == ("labels", "half labels", None)
    assert labels.changes == {"train.epochs": 2, "train.base_labels": 0.5}
    assert (labels.recipe.train.epochs, labels.recipe.train.base_labels) == (2, 0.5)
    assert (alone.alone, alone.recipe.train.epochs, alone.recipe.train.base_labels) == ("base", 2, 0.0)
    assert table.compare == (
        (Compared("labels", "base"), Compared("alone-base", "super")),
        (Compared("labels", "80.88"), Compared("labels", "base")),
    )
    assert (table.model, table.seeds, table.margin) == ("tiny", (1, 2), 0.3)
    assert load_recipe(table.path.parent).train.epochs == 3, "the recipe itself stays"


def test_an_arm_may_have_another_model_s_recipe(tmp_path: Path) -> None:
    text = TABLE + '\n[depth.arms.other]\nrecipe = "mnist5k-r14"\n'
    other = table_in(tmp_path, text).arm("other").recipe
    assert (other.name, other.train.epochs, other.model.config.widths) == ("mnist5k-r14", 2, (16, 32, 64))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = [1, 2]", "seeds = [1, 1]", r"line 3: depth\.seeds = \[1, 1\]: must hold one or more, each once"),
        ("labels.base -", "labels.base +", r"line 4: depth\.compare = .*must be written"),
        ("- alone-base.super", "- lamp.super", r"line 4: depth\.compare: there is no arm 'lamp'"),
        ("labels.base -", "labels.bse -", r"line 4: depth\.compare: labels\.bse: labels has only super, base, 88\.80"),
        ("- alone-base.super", "- alone-base.base", r"alone-base\.base: alone-base has only super$"),
        (
            'alone = "base"',
            'alone = "both"',
            r"line 12: depth\.arms\.alone-base\.alone = 'both': must be super",
        ),
        ("= 0.5", "= 2", r"line 7: arm labels: .*recipe\.toml, line \d+: train\.base_labels = 2.*must be 0 to 1"),
        ("train.base_labels", "train.lamp", r"line 7: arm labels: .*unknown key 'lamp' in \[train\]"),
        ("train.base_labels", "base_labels", r"arm labels: the change of 'base_labels' names no section"),
        ("train.base_labels", "train.lr.x", r"arm labels: the change of 'train\.lr\.x': lr is no section"),
        ('{ "train.base_labels" = 0.5 }', "{ train.base_labels = 0.5 }", r"changes must be written .*in quotes"),
        ('about = "which', 'abuot = "which', r"line 2: unknown key 'abuot' in \[depth\]"),
        ("[depth.arms.labels]", "[depth.arms.'La bels']", r"'La bels' is no name of a table or an arm"),
    ],
)
def test_a_broken_table_is_told_in_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TABLE
    with pytest.raises(DimmerError, match=said) as raised:
        table_in(tmp_path, TABLE.replace(old, new))
    assert "\n" not in str(raised.value)


POLISHED = (
    '"train.base_labels" = 0.5, "model.bits" = [8, 4], "qat.epochs" = 1, "polish.epochs" = 1 }\n\n[depth.arms.alone'
)


def test_an_arm_may_begin_with_another_s_network(tmp_path: Path) -> None:
    labels, _, widths = table_in(tmp_path, WIDTHS).arms
    assert (labels.after, widths.after) == ("", "labels")
    assert widths.recipe.train == labels.recipe.train
    assert widths.recipe.model.config.bits == (8, 4)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'after = "labels"',
            'after = "lamp"',
            r"line 16: arm widths: after = 'lamp': .* no such arm; .* labels, alone-b",
        ),
        ('after = "labels"', 'after = "widths"', r"after = 'widths': there is no such arm"),
        ('after = "labels"', 'after = "alone-base"', r"its network is no adaptive one of float epochs alone"),
        ('"train.base_labels" = 0.5 }\n\n[depth.arms.alone', POLISHED, r"of float epochs alone, without \[qat\] and"),
        ('after = "labels"', 'after = "labels"\nalone = "base"', r"\.after = 'labels': is for the adaptive network"),
        (', "model.bits" = [8, 4], "qat.epochs" = 1, "qat.frozen" = true', "", r"nothing to add: give qat\.epochs"),
        ('"train.base_labels" = 0.5, "model', '"train.base_labels" = 0.4, "model', r"the float trainings differ"),
        ('"model.bits" = [8, 4]', '"model.bits" = [8, 4], "model.widths" = [8, 8]', r"the float trainings differ"),
    ],
)
def test_an_arm_that_cannot_begin_with_another_s_network_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in WIDTHS
    with pytest.raises(DimmerError, match=said) as raised:
        table_in(tmp_path, WIDTHS.replace(old, new))
    assert "\n" not in str(raised.value)


def test_what_is_not_there_is_told(table: Table, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="table depth has no arm 'lamp'; it has labels, alone-base"):
        table.arm("lamp")
    with pytest.raises(DimmerError, match="there is no table 'lamp'; it has depth"):
        load_table(table.path.parent, "lamp")
    with pytest.raises(DimmerError, match="mnist5k-r14 has no experiments: write "):
        load_tables("mnist5k-r14")
    table.path.write_text('[depth]\nabout = ""\nseeds = [1]\n')
    with pytest.raises(DimmerError, match=r"line 1: depth needs one or more arms, \[depth\.arms\.NAME\]"):
        load_tables(table.path.parent)


def test_of_several_tables_one_has_to_be_named() -> None:
    with pytest.raises(DimmerError, match="name one with --table; it has depth, teacher"):
        load_table("cifar10-r14", None)
    assert load_table("cifar10-r14", "teacher").name == "teacher"


@pytest.mark.parametrize("model", ["cifar10-r20", "cifar10-r14"])
def test_the_shipped_tables_have_equal_conditions_in_every_arm(model: str) -> None:
    """Same steps, images, augmentation, optimiser, schedule and precision."""
    for table in load_tables(model):
        assert len(table.seeds) >= 3
        same = {
            (t.epochs, t.batch, t.lr, t.momentum, t.weight_decay, t.warmup, t.precision, t.augmentation)
            for t in (arm.recipe.train for arm in table.arms)
        }
        assert len(same) == 1
        depth = [arm for arm in table.arms if not arm.after]
        assert {arm.recipe.model.config.bits for arm in depth} == {(8,)}
        assert {arm.recipe.qat.epochs + arm.recipe.polish.epochs for arm in depth} == {0}


def test_the_base_net_of_r20_is_most_of_it() -> None:
    recipe = load_recipe("cifar10-r20")
    cost = recipe.model.config.cost()
    share = recipe.base_mode().macs(cost) / recipe.super_mode().macs(cost)
    assert share == pytest.approx(0.65, abs=0.02)
    # What ships was trained as the winning arm of its table.
    labels = load_table("cifar10-r20", "depth").arm("labels").recipe
    assert recipe.training_hash() == labels.training_hash()
    # R14 trained alone and R20's base-net have the same blocks.
    assert recipe.model.config.alone("base").mandatory == (2, 2, 2)
