# SPDX-License-Identifier: Apache-2.0
"""The emitted C: readable, reproducible, warning-free, whatever the names in the file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.emit.nasty import NASTY
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_mix, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers

GOLDEN = Path(__file__).parent.parent / "golden"


def golden_model(folder: Path) -> tuple[Path, ...]:
    """A stem and a dense layer: small enough to read."""
    net = Layers(0)
    x = net.activation([1, 3, 3, 1], 1 / 64, 0, "image")
    y = net.conv(x, 2, activation="RELU", output=net.activation([1, 3, 3, 2], 0.05, -128, "stem"))
    y = net.operator(
        "FULLY_CONNECTED",
        [y, net.tensor("dense_weights", [3, 18], "int8", 0.01, 0, 0, net.random.integers(-127, 128, (3, 18)))],
        net.activation([1, 3], 0.25, 4, "logits"),
    )
    path = folder / "golden.tflite"
    path.write_bytes(net.build(x, y))
    answers = KnownAnswers(bytes(range(9)), (b"\x01\xff\x80",))
    return generate([ModeSource("golden", path)], folder / "out", known_answers=answers, name="golden").files


def test_the_golden_files(tmp_path: Path) -> None:
    assert {path.name for path in golden_model(tmp_path)} == {path.name for path in GOLDEN.iterdir()}
    # After a deliberate change of the emitter: copy the new files over the old and read the difference.
    for path in golden_model(tmp_path):
        assert path.read_text() == (GOLDEN / path.name).read_text(), path


def test_a_formatter_leaves_it_alone(tmp_path: Path) -> None:
    files = [str(path) for path in golden_model(tmp_path)]
    formatter = Path(sys.executable).with_name("clang-format")
    subprocess.run([str(formatter), "--dry-run", "-Werror", *files], check=True)


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++"])
def test_no_compiler_warns(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    (tmp_path / "mix.tflite").write_bytes(tiny_mix())
    folders = [tmp_path / "modes", tmp_path / "mix"]
    modes = write_modes(tmp_path)
    answers = KnownAnswers(bytes(300), (bytes(6),) * 3)
    generate(modes, folders[0], even_policy(3), answers)
    generate([ModeSource("mix", tmp_path / "mix.tflite")], folders[1])
    if compiler == "g++":  # a C++ application includes the headers alone
        main = tmp_path / "main.cpp"
        main.write_text(
            '#include "dimmer_known_answers.h"\nint main() { return (int)dimmer_model.abi - dimmer_known_input[0]; }\n'
        )
        command = [compiler, "-std=c++11", *WARNINGS, f"-I{folders[0]}", f"-I{INCLUDE}", "-fsyntax-only", str(main)]
        subprocess.run(command, check=True)
        return
    for folder in folders:
        for source in sorted(folder.glob("*.c")):
            command = [compiler, "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(source)]
            subprocess.run(command, check=True)


def test_the_weights_go_where_a_macro_says(tmp_path: Path) -> None:
    golden_model(tmp_path)
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-c", str(tmp_path / "out" / "dimmer_golden.c")]
    sections = []
    for more in ([], ['-DDIMMER_WEIGHTS_SECTION=".far_away"']):
        subprocess.run([*command, *more, "-o", str(tmp_path / "golden.o")], check=True)
        with (tmp_path / "golden.o").open("rb") as stream:
            found = ELFFile(stream).get_section_by_name(".far_away")
            sections.append(None if found is None else (found["sh_size"], found["sh_flags"]))
    # 20 bytes of kernels in 18 + 56 of weights, allocated and neither written nor executed.
    assert sections == [None, (76, 2)]


def test_another_abi_does_not_compile(tmp_path: Path) -> None:
    golden_model(tmp_path)
    text = (INCLUDE / "dimmer.h").read_text()
    other = tmp_path / "include"
    shutil.copytree(INCLUDE, other)
    (other / "dimmer.h").write_text(re.sub(r"#define DIMMER_ABI \d+", "#define DIMMER_ABI 999", text))
    command = ["gcc", f"-I{other}", "-fsyntax-only", str(tmp_path / "out" / "dimmer_golden.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "generate it again" in done.stderr


def test_names_from_a_file_cannot_break_the_c(tmp_path: Path) -> None:
    net = Layers(0)
    x = y = net.activation([1, 4, 4, 1])
    for name in NASTY:
        y = net.conv(y, 1, (1, 1), output=net.activation([1, 4, 4, 1], name=name))
    path = tmp_path / "nasty.tflite"
    path.write_bytes(net.build(x, y))
    out = tmp_path / "out"
    (source,) = generate([ModeSource('na"s*/ty', path)], out, name='"; evil(); //').sources
    assert source.name == "dimmer_evil.c"
    text = source.read_text()
    assert text.isascii()
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(source)]
    subprocess.run(command, check=True)


def test_every_constant_has_its_layer_and_modes_beside_it(tmp_path: Path) -> None:
    (source,) = generate(write_modes(tmp_path), tmp_path / "out").sources
    text = source.read_text()
    assert "/* [0] stem: weights int8[8,3,3,3], 216 bytes, every mode */" in text
    assert re.search(r"block2: bias int32\[8\], 32 bytes, 888 \*/|y_\d+: bias int32\[8\], 32 bytes, 888 \*/", text)
    assert "skipped, 880 800" in text


def test_a_model_without_operators_compiles(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.activation([1, 2, 3])
    path = tmp_path / "empty.tflite"
    path.write_bytes(net.build(x, net.reshape(x, [1, 6])))
    model = generate([ModeSource("empty", path)], tmp_path / "out")
    assert model.arena == 16
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(model.sources[0])]
    subprocess.run(command, check=True)


def test_every_name_of_a_model_begins_with_its_symbol(tmp_path: Path) -> None:
    model = generate(write_modes(tmp_path), tmp_path / "out", even_policy(3), KnownAnswers(bytes(300), (bytes(6),) * 3))
    text = "\n".join(path.read_text() for path in model.files if path.name.startswith(model.symbol))
    declared = re.findall(r"^(?:static |extern )?const \w+ (\w+)|^\} (\w+) = ", text, re.MULTILINE)
    defined = re.findall(r"^#define (\w+)|^    (\w+) = \d+,? /\*", text, re.MULTILINE)
    names = ["".join(found) for found in declared + defined]
    assert len(names) > 20
    assert [n for n in names if n != model.symbol and not n.lower().startswith(f"{model.symbol}_")] == []


NEEDS = {"cortex-m4": "Arm's DSP extension", "cortex-m55": "Helium"}
CORES = {"cortex-m3": [], "cortex-m4": [], "cortex-m55": ["-mfloat-abi=hard"]}


@pytest.mark.board
@pytest.mark.parametrize("core", NEEDS)
def test_another_core_does_not_compile(core: str, tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    (source,) = generate([ModeSource("resnet", path)], tmp_path / "out", core=core).sources

    def compiled(other: str) -> subprocess.CompletedProcess[str]:
        flags = ["-std=c99", *WARNINGS, "-mthumb", *CORES[other], f"-mcpu={other}", f"-I{INCLUDE}", "-fsyntax-only"]
        return subprocess.run(["arm-none-eabi-gcc", *flags, str(source)], capture_output=True, text=True, check=False)

    assert compiled(core).returncode == 0, compiled(core).stderr
    told = compiled("cortex-m3")
    assert told.returncode != 0
    assert f"generated for {core} with kernels that need {NEEDS[core]} (__ARM_FEATURE_" in told.stderr
    assert "compile it for such a core, or generate it for this one" in told.stderr


def test_kernels_of_plain_c_compile_for_any_core(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    (source,) = generate([ModeSource("resnet", path)], tmp_path / "out", core="cortex-m3").sources
    assert "generated for" not in source.read_text()
    subprocess.run(["gcc", "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(source)], check=True)
