# SPDX-License-Identifier: Apache-2.0
"""Two models in one program of C or C++ take turns in one arena, on the host and on a Cortex-M4, exact."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import APPLICATION, load_target
from tests.boards import rest_slow
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_resnet

TARGETS = ["host", pytest.param("mps2-an386", marks=pytest.mark.board("mps2-an386"))]
PROGRAMS = ["two_models.c", "two_models.cpp"]
MODELS = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "models"


def check_two(
    first: Sequence[ModeSource], second: Sequence[ModeSource], target_name: str, work: Path, program: str
) -> None:
    """Runs every mode of both by turns on some inputs and compares with the interpreter."""
    target = load_target(target_name)
    # As C++ is compiled for a board: nothing is thrown.
    flags = (*target.toolchain.flags, "-fno-exceptions")
    target = dataclasses.replace(target, toolchain=dataclasses.replace(target.toolchain, flags=flags))
    pair = (first, second)
    models = [
        generate(modes, work / "c", name=name, scratch_limit=target.scratch_limit, core=target.core)
        for name, modes in zip(("first", "2nd-Net"), pair, strict=True)
    ]
    (work / "c" / "two_models.h").write_text(names(models))
    kernels = [kernel for model in models for kernel in model.kernels]
    text = next(path for path in APPLICATION if path.name == "text.c")
    main = Path(__file__).with_name(program)
    files = [*models[0].sources, *models[1].sources, *sources(kernels), text, main]
    elf = target.compile(files, [work / "c", INCLUDE], work / "out")
    records, expected = [], []
    for number, model, modes in zip((0, 1), models, pair, strict=True):
        size = model.input_bytes
        inputs = sample_inputs(modes[0].path, 6)
        for mode, source in enumerate(modes):
            outputs = reference_outputs(source.path, inputs)
            rows = [inputs[at : at + size] for at in range(0, len(inputs), size)]
            step = model.output_bytes
            answers = [outputs[at : at + step] for at in range(0, len(outputs), step)]
            records.append([bytes((number, mode)) + row for row in rows])
            expected.append(answers)
    # A record of each mode of each model, then the next of each: they never run twice in a row.
    (work / "in.bin").write_bytes(b"".join(itertools.chain(*zip(*records, strict=True))))
    result = target.run(elf, ["in.bin", "out.bin"], work)
    assert result.returncode == 0, result.stdout
    assert (work / "out.bin").read_bytes() == b"".join(itertools.chain(*zip(*expected, strict=True)))


def names(models: Sequence[GeneratedModel]) -> str:
    """What two_models.c wants to know."""
    lines = []
    for word, model in zip(("FIRST", "SECOND"), models, strict=True):
        lines += [f'#include "{model.symbol}.h"', f"#define {word} {model.symbol}"]
        ends = [f"{end}_{what}" for end in ("INPUT", "OUTPUT") for what in ("SCALE", "ZERO_POINT")]
        lines += [f"#define {word}_{name} {model.symbol.upper()}_{name}" for name in ("ARENA_SIZE", *ends)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("target", rest_slow(TARGETS, "mps2-an386"))
@pytest.mark.parametrize("program", [pytest.param("two_models.c", marks=pytest.mark.slow), "two_models.cpp"])
def test_small_networks(target: str, program: str, tmp_path: Path) -> None:
    (tmp_path / "resnet.tflite").write_bytes(tiny_resnet())
    check_two([ModeSource("resnet", tmp_path / "resnet.tflite")], write_modes(tmp_path), target, tmp_path, program)


@pytest.mark.shared
@pytest.mark.parametrize("target", rest_slow(TARGETS, "mps2-an386"))
@pytest.mark.parametrize("program", PROGRAMS)
def test_resnet_8_and_keyword_spotting(target: str, program: str, tmp_path: Path) -> None:
    first, second = (
        [ModeSource(name, MODELS / f"{name}.tflite")] for name in ("pretrainedResnet_quant", "kws_ref_model")
    )
    check_two(first, second, target, tmp_path, program)
