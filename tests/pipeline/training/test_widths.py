# SPDX-License-Identifier: Apache-2.0
"""Norms of a network's widths."""

from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.training.widths import narrow_modes, settle_norms, uniform_modes, widen
from tests.pipeline.training.small import bright_or_dark, changed, copied, narrow, small_settings, trainer_of


def test_modes_of_one_width_have_names() -> None:
    config = narrow(small_settings()).config()
    assert {name: str(mode) for name, mode in uniform_modes(config).items()} == {
        "super": "88.88",
        "super-4": "44.44",
        "super-2": "22.22",
        "base": "80.80",
        "base-4": "40.40",
        "base-2": "20.20",
    }
    assert [str(mode) for mode in narrow_modes(config)] == ["44.44", "40.40", "22.22", "20.20"]
    assert narrow_modes(small_settings().config()) == ()


def test_narrow_widths_start_from_the_norms_of_8_bits() -> None:
    network = narrow(small_settings()).untrained()
    state = network.state_dict()
    state["stages.0.0.norm1.of_bits.8.skipped.running_mean"].fill_(3.0)
    state["stages.0.0.norm1.of_bits.8.skipped.weight"].fill_(0.5)
    before = copied(state)
    widen(network)
    for bits in (4, 2):
        assert (network.state_dict()[f"stages.0.0.norm1.of_bits.{bits}.skipped.running_mean"] == 3.0).all()
        assert (network.state_dict()[f"stages.0.0.norm1.of_bits.{bits}.skipped.weight"] == 0.5).all()
    assert all(".of_bits.4." in name or ".of_bits.2." in name for name in changed(before, network.state_dict()))


def test_settled_norms_have_the_statistics_of_their_own_mode() -> None:
    trainer = trainer_of(narrow(small_settings()))
    data = bright_or_dark()
    for bits in (8, 4, 2):
        for norm in ("executed", "skipped"):
            trainer.network.state_dict()[f"stages.0.0.norm1.of_bits.{bits}.{norm}.running_mean"].fill_(40.0)
    before = copied(trainer.network.state_dict())
    batches = [to_input(data.train.images[:32]), to_input(data.train.images[32:64])]
    outcome = settle_norms(trainer, batches, data.val)
    assert sorted(outcome) == ["20.20", "22.22", "40.40", "44.44", "80.80", "88.88"]
    assert all(after >= was for was, after in outcome.values())
    names = changed(before, trainer.network.state_dict())
    assert names
    assert all("running" in name for name in names)
    assert not any(name.startswith("stem") for name in names), "all modes share it"
