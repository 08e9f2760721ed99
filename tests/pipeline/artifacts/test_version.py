"""The generator's version."""

from dimmer.pipeline.artifacts.version import generator_version


def test_it_is_three_numbers() -> None:
    assert len(generator_version().split(".")) == 3
    assert all(part.isdigit() for part in generator_version().split("."))
