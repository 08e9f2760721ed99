# SPDX-License-Identifier: Apache-2.0
"""What classes say of themselves."""

from dimmer.pipeline.schemas.docstrings import attributes, summary


class Lamp:
    """Gives
    light.

    More of it.

    Attributes:
        watts: what it takes:
            in all.
        hue: of the light.

    Raises:
        ValueError: it is broken.
    """


class Torch(Lamp):
    """Gives light: elsewhere.

    Attributes:
        hue: as `Lamp`'s.
    """


class Bare:
    pass


def test_the_first_paragraph_in_one_line() -> None:
    assert (summary(Lamp), summary(Torch), summary(Bare)) == ("Gives light.", "Gives light: elsewhere.", "")


def test_attributes_are_the_class_s_and_its_bases() -> None:
    assert attributes(Lamp) == {"watts": "what it takes: in all.", "hue": "of the light."}
    assert attributes(Torch) == {"watts": "what it takes: in all.", "hue": "as `Lamp`'s."}
    assert attributes(Bare) == {}
