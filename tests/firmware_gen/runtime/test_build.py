"""The runtime compiles without a warning wherever it is meant to, and the README tells the truth."""

import re
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME, sources
from tests.firmware_gen.runtime.c_library import STRICT, compile_c, compiler

CORES = {
    "m0": ["-mcpu=cortex-m0"],
    "m4f": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "m33": ["-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "m55": ["-mcpu=cortex-m55", "-mfloat-abi=hard"],
}
# Those of a small residual network, and what goes with them.
RESNET = ["conv2d", "add", "average_pool_2d", "fully_connected", "softmax"]
SHARED = ["engine", "crc", "policy", "dot", "dot_dsp", "dot_row"]


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_host_compilers_have_nothing_to_say(tmp_path: Path, name: str) -> None:
    compile_c(name, sources(), tmp_path / "all.so", "-shared", "-fPIC")


@pytest.mark.parametrize("standard", ["c++98", "c++17"])
def test_headers_are_for_cxx_too(tmp_path: Path, standard: str) -> None:
    source = tmp_path / "use.cpp"
    source.write_text('#include "dimmer_kernels.h"\nint main() { return static_cast<int>(DIMMER_OK); }\n')
    flags = ["-Wall", "-Wextra", "-Wundef", "-Werror", f"-std={standard}", f"-I{INCLUDE}"]
    result = subprocess.run(
        [compiler("g++"), *flags, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module", params=CORES)
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """A core and the object files of the whole runtime for it."""
    folder = tmp_path_factory.mktemp("objects")
    command = [compiler("arm-none-eabi-gcc"), *STRICT, "-mthumb", *CORES[request.param], f"-I{INCLUDE}", "-c"]
    files = sources()
    result = subprocess.run([*command, *map(str, files)], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return request.param, [folder / source.with_suffix(".o").name for source in files]


def output_of(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


@pytest.mark.board
def test_nothing_changes_in_ram(objects: tuple[str, list[Path]]) -> None:
    for line in output_of("arm-none-eabi-size", *objects[1]).splitlines()[1:]:
        data, bss = map(int, line.split()[1:3])
        assert data == bss == 0, line


@pytest.mark.board
def test_a_residual_network_needs_less_than_8_kib_of_code(objects: tuple[str, list[Path]]) -> None:
    needed = {f"dimmer_{name}_s8" for name in RESNET} | {*SHARED}
    files = [file for file in objects[1] if file.stem in needed]
    assert len(files) == len(needed)
    sizes = [int(line.split()[0]) for line in output_of("arm-none-eabi-size", *files).splitlines()[1:]]
    assert sum(sizes) <= 8192


@pytest.mark.board
def test_no_heap_no_console_and_float_only_where_the_name_says_so(objects: tuple[str, list[Path]]) -> None:
    allowed = (
        r"U|mem(cpy|set)|dimmer_\w+|__aeabi_(lmul|u?[il]divmod|u?idiv|lasr|llsl|llsr|mem\w+)|__gnu_thumb1_case_\w+"
    )
    for file in objects[1]:
        for name in output_of("arm-none-eabi-nm", "-u", file).split():
            assert re.fullmatch(allowed, name) or "f32" in file.stem, f"{file.stem} calls {name}"


def test_the_example_of_the_readme_compiles(tmp_path: Path) -> None:
    blocks = re.findall(r"```c\n(.*?)```", (RUNTIME / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    (tmp_path / "dimmer_model.h").write_text(
        '#include "dimmer_tables.h"\n#define DIMMER_MODEL_ARENA_SIZE 64u\n#define DIMMER_MODEL_INPUT_SIZE 4u\n'
        "#define DIMMER_MODEL_OUTPUT_SIZE 4u\nenum { DIMMER_MODE_88_88_88 = 0 };\n"
        "extern const dimmer_model_t dimmer_model;\n"
    )
    for number, block in enumerate(blocks):
        source = tmp_path / f"example_{number}.c"
        source.write_text(block)
        compile_c("gcc", [source], tmp_path / f"example_{number}.o", "-c", f"-I{tmp_path}")
