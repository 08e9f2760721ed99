# SPDX-License-Identifier: Apache-2.0
"""The common files: they compile for every core with -I src alone, run exactly, and are the same every time."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.library import INCLUDE, feature_sources, sources
from dimmer.pipeline.bundles.packaging.examples import c_main
from dimmer.pipeline.bundles.packaging.formats import ALL_CORES, FORMATS
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package, Publisher
from dimmer.pipeline.bundles.packaging.readme import readme
from dimmer.pipeline.bundles.packaging.source import LABELS, PackageOrder, make_package, read_labels, runtime_files
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.recipe.sections.features import FeaturesSection
from dimmer.targets import load_target
from tests.firmware_gen.networks import tiny_ends, tiny_keywords, tiny_state
from tests.firmware_gen.runtime.c_library import STRICT, compiler
from tests.pipeline.bundles.packaging.made import (
    BOARD_MAIN,
    CLASSES,
    modes_order,
    modes_package,
    needed,
    of_cores,
    spread,
    wrong_answer,
)

BOARDS = ("mps2-an385-v6m", "mps2-an385", "mps2-an386", "mps3-an547", "riscv-virt")
"""An emulated board for each kind of core but the last, which `test_cmake.py` runs."""
PARAMS = [pytest.param(name, marks=pytest.mark.board(name)) for name in BOARDS]


def run_on(board: str, package: Package, work: Path) -> int:
    """Compiles all that a package has with a main in C++, for an emulated board; gives what its self-test ends with."""
    target = load_target(board)
    flags = (*target.toolchain.flags, "-fno-exceptions")
    target = replace(target, toolchain=dataclasses.replace(target.toolchain, flags=flags))
    folder = spread({**package.runtime, **package.model}, work)
    (work / "main.cpp").write_text(BOARD_MAIN.format(symbol=package.symbol, macro=package.macro))
    files = [*sorted((folder / "src").rglob("*.c")), work / "main.cpp"]
    elf = target.compile(files, [folder / "src"], work / "out")
    return target.run(elf, [], work).returncode


@pytest.mark.slow
@pytest.mark.parametrize("board", PARAMS)
def test_every_mode_is_exact_on_every_kind_of_core(board: str, blocks: Package, tmp_path: Path) -> None:
    assert run_on(board, blocks, tmp_path) == 0


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_the_self_test_finds_a_wrong_number(blocks: Package, tmp_path: Path) -> None:
    assert run_on("mps2-an386", wrong_answer(blocks), tmp_path) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "core"),
    [
        pytest.param("mps2-an386", "portable", marks=pytest.mark.board("mps2-an386")),
        pytest.param("mps2-an386", "cortex-m3", marks=pytest.mark.board("mps2-an386")),
        pytest.param("mps3-an547", "cortex-m4", marks=pytest.mark.board("mps3-an547")),
        pytest.param("riscv-virt", "portable", marks=pytest.mark.board("riscv-virt")),
        pytest.param("mps2-an385-v6m", "portable", marks=pytest.mark.board("mps2-an385-v6m")),
    ],
)
def test_a_core_runs_the_tables_of_a_poorer_one(board: str, core: str, tmp_path: Path) -> None:
    assert run_on(board, modes_package(tmp_path, [core]), tmp_path) == 0


def test_the_same_model_makes_the_same_files(blocks: Package, tmp_path: Path) -> None:
    again = modes_package(tmp_path, tuple(reversed(ALL_CORES)))
    assert (again.model, again.runtime, again.version) == (blocks.model, blocks.runtime, blocks.version)
    assert not [path for path, text in again.model.items() if str(tmp_path) in text]


def test_features_of_a_model_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "words.tflite").write_bytes(tiny_keywords())
    order = PackageOrder(foreign_order([tmp_path / "words.tflite"]), kinds_of(["portable"]))
    plain = make_package(order)
    made = make_package(replace(order, name="door", features=FeaturesSection("mlperf-kws")))
    assert not [path for path in plain.model if "features" in path]
    assert "src/dimmer_door_features.h" in made.model_headers
    assert "src/dimmer_door_features.c" in made.model_sources
    folder = spread({**made.runtime, **made.model}, tmp_path)
    files = [folder / "src" / "dimmer_door_features.c", *sorted((folder / "src" / "features").glob("*.c"))]
    words = [compiler("gcc"), *STRICT, f"-I{folder / 'src'}", "-fsyntax-only", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_runtime_is_whole() -> None:
    files = runtime_files()
    names = {Path(path).name for path in files if path.endswith(".c")}
    assert names == {path.name for path in (*sources(), *feature_sources())}
    # Some IDEs put all objects into one folder.
    assert len(names) == len([path for path in files if path.endswith(".c")])
    assert "src/dimmer.h" in files
    assert not [path for path in files if not path.startswith("src/")]


def test_a_package_has_its_own_licence_and_labels(blocks: Package, resnet: Package) -> None:
    assert set(blocks.notices) == {"LICENSE", "NOTICE", LABELS}
    assert blocks.notices[LABELS].splitlines() == list(CLASSES)
    assert blocks.notices["NOTICE"].startswith("dimmer_blocks: what it is made of")
    assert set(resnet.notices) == {"LICENSE", "NOTICE"}
    assert '"six"' in blocks.model["src/dimmer_blocks.h"]


def test_memory_by_core(blocks: Package) -> None:
    assert [core.kind.core for core in blocks.cores] == list(ALL_CORES)
    for core in blocks.cores:
        assert core.flash == core.weights + core.tables + core.code
        assert min(core.weights, core.tables, core.code, core.arena) > 0
        assert f"_ARENA_SIZE {core.arena}u" in blocks.model["src/dimmer_blocks.h"]


def test_scratch_can_be_less(blocks: Package, tmp_path: Path) -> None:
    order = PackageOrder(modes_order(tmp_path), kinds_of(["cortex-m4"]), scratch_limit=512)
    (most,), (least,) = of_cores(blocks, ["cortex-m4"]).cores, make_package(order).cores
    assert least.arena < most.arena


def test_another_name(tmp_path: Path) -> None:
    package = make_package(PackageOrder(modes_order(tmp_path), kinds_of(["portable"]), name="Door"))
    assert (package.symbol, package.title, package.macro) == ("dimmer_door", "Door", "DIMMER_DOOR")


def test_what_is_refused(tmp_path: Path) -> None:
    order = PackageOrder(modes_order(tmp_path), kinds_of(["portable"]))
    with pytest.raises(FirmwareGenError, match="no identifier of C"):
        make_package(replace(order, name="front door"))
    with pytest.raises(FirmwareGenError, match="2 names of classes for an output of 6"):
        make_package(replace(order, classes=("yes", "no")))
    with pytest.raises(DimmerError, match="--model-version"):
        make_package(replace(order, model_version="one"))
    with pytest.raises(DimmerError, match="--vendor"):
        make_package(replace(order, publisher=Publisher("a b")))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Package]:
    """Gives the package of a model with several inputs and outputs, or of one with a state, which is made once."""
    made = {"ends": tiny_ends, "stream": tiny_state}

    def one(name: str) -> Package:
        file = tmp_path_factory.mktemp(name) / f"{name}.tflite"
        file.write_bytes(made[name]())
        return make_package(PackageOrder(foreign_order([file]), kinds_of(["cortex-m4", "portable"])))

    return cache(one)


def run_here(package: Package, main: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Compiles a program for this machine with the kernels that the model needs, and runs it.

    The library's files are the package's, byte for byte; from where they lie each is compiled once for all tests.
    """
    spread({**package.model, "main.c": main}, folder)
    files = [*needed(package), *(folder / path for path in (*package.model_sources, "main.c"))]
    elf = load_target("host").compile(files, [folder / "src", INCLUDE], folder / "out")
    return subprocess.run([elf], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["ends", "stream"])
def test_several_ends_and_a_state_test_themselves(name: str, odd: Callable[[str], Package], tmp_path: Path) -> None:
    done = run_here(odd(name), c_main(odd(name)), tmp_path)
    assert (done.returncode, done.stdout) == (0, "mode 0: as TFLite computes it\n0 of 1 modes differ\n")


def test_a_self_test_with_a_state_starts_every_mode_anew(odd: Callable[[str], Package], tmp_path: Path) -> None:
    """A second time through the only mode, what the first left is forgotten; without that the answer is another."""
    package = odd("stream")
    twice = "    return mode_is_right(0) + 2 * mode_is_right(0);\n}\n"
    main = c_main(package)
    init = "int main(void)\n{\n    dimmer_init(&network, &dimmer_stream, arena, sizeof arena);\n"
    again = main[: main.index("int main(void)")] + init + twice
    assert run_here(package, again, tmp_path / "reset").returncode == 3
    forgetful = re.sub(r"    dimmer_stream_reset\(.*\n", "", again)
    assert forgetful != again
    assert run_here(package, forgetful, tmp_path / "kept").returncode == 1


def test_every_core_finds_the_state_s_guard(tmp_path: Path) -> None:
    """It lies elsewhere from core to core, as the arenas differ."""
    (tmp_path / "stream.tflite").write_bytes(tiny_state())
    kinds = kinds_of(["cortex-m4", "cortex-m0plus", "portable"])
    order = PackageOrder(foreign_order([tmp_path / "stream.tflite"]), kinds)
    header = make_package(order).model["src/dimmer_stream.h"]
    assert header.count("#define DIMMER_STREAM_STATE_GUARD (") == 3
    assert "int8_t *guard = input + (DIMMER_STREAM_STATE_GUARD);" in header


def test_the_ends_are_told_one_by_one(odd: Callable[[str], Package], tmp_path: Path) -> None:
    package = odd("ends")
    text = readme(package, "folder", FORMATS["folder"].usage)
    assert [end.name for end in package.inputs] == ["image", "context"]
    assert "| Input 0 | image: int8[1,4,4,3], value = " in text
    assert "| Output 1 | " in text
    assert "dimmer_status_t classify(const float *value_0, const float *value_1, unsigned *best)" in text
    (code,) = re.findall(r"^```c\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spread({**package.runtime, **package.model, "a.c": code}, tmp_path)
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", str(tmp_path / "src")]
    subprocess.run([*command, str(tmp_path / "a.c")], check=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"", "is empty"), (b"yes\n\nno\n", "line 2 is empty"), (b"\xff\xfe", "cannot be read"), (b"\n\n", "is empty")],
)
def test_labels_that_are_refused(text: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(text)
    with pytest.raises(DimmerError, match=said):
        read_labels(tmp_path / "labels")


def test_labels(tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("yes \nno\n\n")
    assert read_labels(tmp_path / "labels") == ("yes", "no")
    with pytest.raises(DimmerError, match="cannot be read"):
        read_labels(tmp_path / "nowhere")
