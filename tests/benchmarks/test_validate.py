# SPDX-License-Identifier: Apache-2.0
"""The model against published times, with binaries that are made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.benchmarks.validate import compare, main
from dimmer.errors import DimmerError
from dimmer.targets import TargetError, load_target
from dimmer.targets.timing.run import modelled
from dimmer.targets.timing.trace import Block, trace

PROGRAM = """
#include <stdint.h>
#include "platform.h"

uint32_t memory[64];

int main(void)
{
    uint32_t sum = 0;
    int i;

    (void)platform_ticks();
    for (i = 0; i < 1000; ++i) {
        sum += memory[i & 63] * (uint32_t)i;
        memory[i & 63] = sum;
    }
    (void)platform_ticks();
    return 0;
}
"""
MEGAHERTZ = 100


def describe(folder: Path, name: str, lines: str, cycles: float) -> None:
    milliseconds = cycles / MEGAHERTZ / 1000
    head = f'megahertz = {MEGAHERTZ}\nmilliseconds = {milliseconds:.6f}\nsource = "a stopwatch"\n'
    (folder / f"{name}.toml").write_text(head + lines)


def written(blocks: tuple[Block, ...]) -> str:
    lines = ["S"]
    for block in blocks:
        numbers = (block.instructions, block.runs, block.misses)
        lines.append(f"B {block.first:x} {block.last:x} {block.end:x} {' '.join(map(str, numbers))}")
        lines += [f"E {edge.to:x} {edge.runs}" for edge in block.edges]
    return "\n".join(lines)


@pytest.mark.board("mps2-an386")
def test_published_times_stand_beside_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    board, folder = load_target("mps2-an386"), tmp_path / "out"
    (tmp_path / "program.c").write_text(PROGRAM)
    elf = board.compile([tmp_path / "program.c"], [], folder)
    (stretch,) = modelled(board, elf, [], tmp_path)
    (blocks,) = trace(board.runner, elf, [], tmp_path)
    (folder / "loop.blocks").write_text(written(blocks))
    counted = 'blocks = "loop.blocks"\ncore = "cortex-m4"\n[timing]\nbranch_refill = 2\n'
    describe(folder, "run", 'file = "firmware.elf"\ntarget = "mps2-an386"\ncommand = "any"\n', 1.10 * stretch.cycles)
    describe(folder, "symbols", f'file = "firmware.elf"\n{counted}', 1.05 * stretch.cycles)
    describe(folder, "bare", f'file = "firmware.bin"\norigin = 0\n{counted}', 0.99 * stretch.cycles)
    found = {one.name: one for one in compare(folder)}
    assert {one.modelled.cycles for one in found.values()} == {stretch.cycles}
    ratios = {name: one.ratio for name, one in found.items()}
    assert ratios == pytest.approx({"run": 1.10, "symbols": 1.05, "bare": 0.99}, rel=1e-3)
    main(folder)
    assert "published / modelled: 0.990 to 1.100, of 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            'file = "a.bin"\ncore = "lamp"\nblocks = "b"\n[timing]\nbranch_refill = 2\n',
            "'core' is 'lamp': give it one of",
        ),
        ('file = "a.bin"\ncore = "cortex-m4"\nblocks = "b"\n', "'timing' is missing"),
        ('file = "a.bin"\ncore = "cortex-m4"\nblocks = "b"\n[timing]\nbranch_refill = 2\n', "cannot be read as one"),
        ('core = "cortex-m4"\n', "'file' is missing"),
    ],
)
def test_a_mistake_in_a_description_names_file_and_key(tmp_path: Path, lines: str, message: str) -> None:
    describe(tmp_path, "wrong", lines, 1000)
    with pytest.raises(TargetError, match=message) as caught:
        compare(tmp_path)
    assert "wrong.toml" in str(caught.value)


def test_a_folder_without_descriptions_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"has no NAME\.toml that describes a binary"):
        compare(tmp_path)
