# SPDX-License-Identifier: Apache-2.0
"""What a data set says of a model's ends."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.image.meaning import encoding_of, meaning_of
from tests.own_data import cache, own, steps_section, write_steps

__all__ = ["cache"]


def test_of_pixels_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert meaning_of("mnist5k", ()) == NOTHING
    wanted = "uint8 pixels [28][28][1], code = pixel - 128"
    assert encoding_of("mnist5k", (28, 28, 1)) == wanted
    images = own(tmp_path, DataSection("images", "d", classes=("a", "b")))
    assert encoding_of(images, (28, 28, 1)) == wanted


def test_of_windows_the_scale_of_each_channel(tmp_path: Path, cache: Path) -> None:
    write_steps(tmp_path / "imu.csv")
    data = own(tmp_path, steps_section())
    found = meaning_of(data, ())
    assert found.channels == ("ax", "ay", "az")
    assert len(found.offset) == len(found.step) == 3
    assert found.offset[2] > 0 > found.offset[0]
    assert "_input_code(value, channel)" in encoding_of(data, data.section.shape.image_shape)
