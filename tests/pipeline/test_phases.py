"""What a training does in which epoch."""

from dimmer.pipeline.training.phases import learning_rate


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = [learning_rate(0.1, 0.1, step, 100) for step in range(100)]
    assert max(rates) == rates[9] == rates[10] == 0.1
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001 * 0.1
