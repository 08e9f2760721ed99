# SPDX-License-Identifier: Apache-2.0
"""What somebody says of his data is heeded or refused, never passed over."""

from __future__ import annotations

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.projects.told import Told, check_split, named


@pytest.mark.parametrize(
    ("told", "data", "template", "says"),
    [
        (Told(label="y"), None, None, "--label is for data of your own: name its place with --data"),
        (Told(window=3), "", None, "--window is for data of your own"),
        (Told(normal="fine"), None, None, "--normal is for data of your own"),
        (Told(task="values"), None, None, "--task is for data of your own"),
        (Told(task="labels"), "d", None, "--task labels: must be classes or values"),
        (Told(), "d", "mnist5k-r14", "--model-template is not for --data"),
    ],
)
def test_words_that_nothing_heeds_are_refused(told: Told, data: str | None, template: str | None, says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        told.check(data, template)


def test_the_others_are_not() -> None:
    Told().check(None, "mnist5k-r14")
    Told("a,b", "who", 3, "fine", "classes").check("d", None)
    assert Told("a,b").labels == ("a", "b")
    Told(label="y").refuse("images", window="leave it out")
    with pytest.raises(DimmerError, match=r"^--window 3 is not for images: leave it out$"):
        Told(window=3).refuse("images", window="leave it out")


def test_names_are_found_in_any_case_and_in_the_order_that_is_wanted() -> None:
    assert named(("y", "Label", "label"), ("label", "y")) == "Label"
    assert named(("x",), ("label",)) == ""


def test_words_that_are_no_split_are_refused() -> None:
    check_split("d", "split", ["train", "", "Dev"])
    with pytest.raises(
        DimmerError, match=r"^d: 'split' would .* has 'fold0', which is none of .*: give it another name"
    ):
        check_split("d", "split", ["train", "fold0"])


def test_each_of_several_labels_has_its_task() -> None:
    assert Told("a,b").tasks(("a", "b")) == ("", "")
    assert Told("a,b", task="classes,values").tasks(("a", "b")) == ("classes", "values")
    Told("a,b", task="classes,values").check("d", None)
    with pytest.raises(DimmerError, match=r"^--task values: give one word for each of the 2 labels a, b, with commas"):
        Told("a,b", task="values").tasks(("a", "b"))
    with pytest.raises(DimmerError, match=r"^--task classes,x: must be classes or values, of several labels one for"):
        Told("a,b", task="classes,x").check("d", None)
