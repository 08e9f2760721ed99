# SPDX-License-Identifier: Apache-2.0
"""The history, and what is told while it grows."""

from dimmer.pipeline.training.history import Clock, Epoch

FLOAT = Epoch(1, 0.1, 2.0, 1.0, 50.0, 40.0, 3.0)


def test_a_line_names_what_was_measured() -> None:
    assert str(FLOAT) == "loss 2.000, validation super-net 50.00, base-net 40.00 %"
    alone = Epoch(1, 0.1, 2.0, None, 50.0, None, 3.0)
    assert str(alone) == "loss 2.000, validation super-net 50.00 %"
    narrow = Epoch(2, 0.1, 2.0, 1.0, 50.0, 40.0, 3.0, {"4": 30.0})
    assert str(narrow) == "loss 2.000, validation super-net 50.00, base-net 40.00, 4 bits 30.00 %"
    pair = Epoch(2, 0.1, 2.0, 1.0, 50.0, 40.0, 3.0, {"48": 37.0})
    assert str(pair).endswith("base-net 40.00, 48 (W4A8) bits 37.00 %")


def test_the_clock_tells_epoch_share_and_the_line_before() -> None:
    told: list[tuple[str, float]] = []
    clock = Clock(lambda text, share: told.append((text, share)), 4, [FLOAT])
    clock.step(1.5)
    assert told == [(f"epoch 2 of 4 after {FLOAT}", 0.375)]
    clock.epoch_done(Epoch(2, 0.1, 1.5, 1.0, 60.0, 40.0, 7.0))
    text, share = told[-1]
    assert text.startswith("epoch 2 of 4 done in 7 s: loss 1.500, validation super-net 60.00")
    assert text.endswith("min left")
    assert share == 0.5


def test_a_new_training_has_no_line_before() -> None:
    told: list[str] = []
    Clock(lambda text, share: told.append(text), 2, []).step(0.5)
    assert told == ["epoch 1 of 2"]
