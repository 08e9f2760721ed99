# SPDX-License-Identifier: Apache-2.0
"""The chosen range is the one that disturbs the logits least, for all sub-networks of its group."""

import torch

from dimmer.calibration.assign import Settings, assign_ranges
from dimmer.calibration.observe import Forward, Tap
from dimmer.calibration.ranges import METHODS, Range


def forward_of(scale: float):  # type: ignore[no-untyped-def]
    def forward(x: torch.Tensor, tap: Tap) -> torch.Tensor:
        y = tap("hidden", torch.relu(tap("input", x)) * scale)
        return tap("logits", y.mean((2, 3)))

    return forward


BATCHES = [torch.randn(16, 4, 6, 6, generator=torch.Generator().manual_seed(i)) for i in range(2)]
SETTINGS = Settings(METHODS, 99.9, {"input": Range(-4.0, 4.0)})


def test_shared_groups_get_one_range_that_covers_all_members() -> None:
    networks = {"small": forward_of(1.0), "large": forward_of(3.0)}
    choices = assign_ranges(networks, lambda _n, site: site, BATCHES, BATCHES[:1], SETTINGS)
    assert set(choices["hidden"].members) == {("small", "hidden"), ("large", "hidden")}
    assert choices["input"].method == "fixed"
    assert choices["hidden"].range.high > 6.0


def test_separate_groups_are_independent() -> None:
    networks = {"small": forward_of(1.0), "large": forward_of(3.0)}
    group = lambda name, site: site if site == "input" else f"{site}@{name}"  # noqa: E731
    choices = assign_ranges(networks, group, BATCHES, BATCHES[:1], SETTINGS)
    assert choices["hidden@large"].range.high > 2 * choices["hidden@small"].range.high


def test_only_those_decide_that_are_to() -> None:
    """A network without a say takes the range of the others, and has one of its own where no other has any."""
    networks = {"small": forward_of(1.0), "large": forward_of(3.0)}
    group = lambda name, site: f"{site}@{name}" if site == "logits" else site  # noqa: E731
    alone = assign_ranges({"small": networks["small"]}, group, BATCHES, BATCHES[:1], SETTINGS)
    choices = assign_ranges(networks, group, BATCHES, BATCHES[:1], SETTINGS, decides=lambda name: name == "small")
    assert choices["hidden"].members == (("small", "hidden"), ("large", "hidden"))
    assert (choices["hidden"].range, choices["hidden"].errors) == (alone["hidden"].range, alone["hidden"].errors)
    assert choices["logits@small"] == alone["logits@small"]
    assert choices["logits@large"].range.high > 2 * choices["logits@small"].range.high


def test_the_choice_has_the_smallest_measured_error() -> None:
    choices = assign_ranges({"one": forward_of(1.0)}, lambda _n, site: site, BATCHES, BATCHES, SETTINGS)
    for choice in choices.values():
        if choice.errors:
            assert choice.errors[choice.method] == min(choice.errors.values())
            assert set(choice.errors) == set(METHODS)


class Chain:
    """A network in parts that counts how often each is run; the parts tap sites of their own."""

    def __init__(self) -> None:
        self.runs = [0, 0, 0]

    def parts(self) -> list[Forward]:
        def begin(x: torch.Tensor, tap: Tap) -> torch.Tensor:
            self.runs[0] += 1
            return tap("hidden", torch.relu(tap("input", x)) * 3)

        def go_on(x: torch.Tensor, tap: Tap) -> torch.Tensor:
            self.runs[1] += 1
            return tap("again", torch.sin(x) + x)

        def end(x: torch.Tensor, tap: Tap) -> torch.Tensor:
            self.runs[2] += 1
            return tap("logits", x.mean((2, 3)))

        return [begin, go_on, end]

    def __call__(self, x: torch.Tensor, tap: Tap) -> torch.Tensor:
        for part in self.parts():
            x = part(x, tap)
        return x


def test_a_network_in_parts_is_run_from_where_it_is_quantised() -> None:
    first, second = Chain(), Chain()
    whole = assign_ranges({"one": lambda x, tap: first(x, tap)}, lambda _n, site: site, BATCHES, BATCHES, SETTINGS)
    parts = assign_ranges({"one": second}, lambda _n, site: site, BATCHES, BATCHES, SETTINGS)
    assert parts == whole
    assert set(whole) == {"input", "hidden", "again", "logits"}
    assert first.runs[0] == first.runs[1] == first.runs[2]
    assert second.runs[0] < second.runs[1] < second.runs[2]
