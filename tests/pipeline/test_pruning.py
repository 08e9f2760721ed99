"""Pruning: who stays, and that the expected gradient is that of all images."""

import numpy as np
import pytest

from dimmer.pipeline.training.pruning import pruned


def test_images_never_seen_and_those_not_learnt_all_stay() -> None:
    losses = np.array([np.nan, 0.1, 5.0, 0.2, np.nan, 6.0], np.float32)
    for seed in range(20):
        stays, weights = pruned(losses, 0.5, np.random.default_rng(seed))
        assert stays[[0, 2, 4, 5]].all()
        assert weights.tolist() == [1, 2, 1, 2, 1, 1]


def test_nothing_is_left_out_before_a_loss_is_known_or_with_a_share_of_zero() -> None:
    rng = np.random.default_rng(0)
    stays, weights = pruned(np.full(9, np.nan, np.float32), 0.5, rng)
    assert stays.all()
    assert (weights == 1).all()
    stays, weights = pruned(np.arange(9, dtype=np.float32), 0.0, rng)
    assert stays.all()
    assert (weights == 1).all()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_weights_make_up_for_what_is_left_out(share: float) -> None:
    losses = np.random.default_rng(0).exponential(size=40_000).astype(np.float32)
    stays, weights = pruned(losses, share, np.random.default_rng(1))
    learnt = losses < losses.mean()
    assert 1 - stays[learnt].mean() == pytest.approx(share, abs=0.02)
    assert weights[stays].sum() == pytest.approx(len(losses), rel=0.01)
    # An image's gradient, summed over many epochs, is in expectation what it is without pruning.
    assert (weights * stays * losses).sum() == pytest.approx(losses.sum(), rel=0.01)
