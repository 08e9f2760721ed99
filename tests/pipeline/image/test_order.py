# SPDX-License-Identifier: Apache-2.0
"""What to make a firmware of."""

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode
from dimmer.pipeline.image.order import SAMPLES, converted_order, foreign_order
from tests.firmware_gen.modes import MODES, write_modes


def test_files_from_anywhere_are_modes_of_their_names(tmp_path: Path) -> None:
    files = [mode.path for mode in write_modes(tmp_path)]
    order = foreign_order(files)
    assert [mode.name for mode in order.modes] == [path.stem for path in files]
    assert (order.name, order.samples, order.policy) == (files[0].stem, SAMPLES, even_policy(len(files)))
    assert not any(mode.boundaries for mode in order.modes)
    assert {mode.reference for mode in order.modes} == {Reference.LITERT}
    assert {mode.reference for mode in foreign_order(files, reference=Reference.TFLM).modes} == {Reference.TFLM}


def test_what_a_conversion_left_is_read_from_its_folder(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    entries = tuple(ConvertedMode(mode.name, mode.path.name, mode.boundaries) for mode in modes)
    Converted(("stem", "0.0", "head"), entries).save(tmp_path)
    order = converted_order("lamp", tmp_path, None)
    assert (order.name, [mode.name for mode in order.modes]) == ("lamp", list(MODES))
    assert order.modes == tuple(modes)
    with pytest.raises(DimmerError, match=r"lamp is not converted; run: python -m pipeline\.build --model lamp"):
        converted_order("lamp", tmp_path / "none", None)
