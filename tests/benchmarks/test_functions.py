# SPDX-License-Identifier: Apache-2.0
"""Functions and blocks, the most expensive first."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.benchmarks.functions import hottest, main
from dimmer.targets import TargetError
from tests.firmware_gen.networks import tiny_resnet
from tests.targets.timing.test_cycles import LEAF, LOOP, model


def test_the_most_expensive_block_comes_first_with_its_code() -> None:
    first, second = hottest(model(), [LEAF, LOOP], 5)
    assert (first.function, first.cycles, second.function) == ("loop", 78, "leaf")
    # The second load is pipelined behind the first.
    assert [line.split()[1:3] for line in first.lines] == [
        ["2", "ldr"],
        ["1", "ldr"],
        ["1", "muls"],
        ["1", "subs"],
        ["1", "bne.n"],
    ]
    assert len(hottest(model(), [LEAF, LOOP], 1)) == 1


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_functions_of_a_file_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    main(path, "mps2-an386", 1, None)
    said = capsys.readouterr().out
    assert "dimmer_invoke" in said
    assert "loads" in said
    assert " runs, ~" in said
    with pytest.raises(TargetError, match="nothing models the cycles of cortex-m7"):
        main(path, "mps2-an500", 0, None)
