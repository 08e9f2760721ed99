# SPDX-License-Identifier: Apache-2.0
"""CMake takes the package: as a folder, fetched, installed and found, with another model beside it, for a board."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.bundles.packaging.cmake import cmake_files
from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.source import PackageOrder, make_package
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.image.order import foreign_order
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import APPLICATION, load_target
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.bundles.packaging.made import BOARD_MAIN, modes_package, resnet_package, spread, wrong_answer
from tests.pipeline.shared_models import KWS, RESNET

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake")

SAMPLES = 12

TWO = """\
cmake_minimum_required(VERSION 3.16)
project(two LANGUAGES C CXX)
add_subdirectory(first)
add_subdirectory(second)
foreach(model IN ITEMS {models})
  add_executable(${{model}}_test ${{model}}.cpp)
  target_link_libraries(${{model}}_test PRIVATE dimmer::${{model}})
endforeach()
"""

USER = """\
cmake_minimum_required(VERSION 3.16)
project(user LANGUAGES C CXX)
{find}
add_executable(user main.cpp)
target_link_libraries(user PRIVATE dimmer::{symbol})
"""

TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -fno-exceptions -fno-rtti")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""


# What one test compiled, others need not, whatever their folder is called.
KEPT = {} if shutil.which("ccache") is None else {"CMAKE_C_COMPILER_LAUNCHER": "ccache"}


def cmake(*words: object) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **KEPT, "CCACHE_BASEDIR": tempfile.gettempdir()}
    return subprocess.run(["cmake", *map(str, words)], env=variables, capture_output=True, text=True, check=False)


def built(source: Path, build: Path, *options: str) -> None:
    done = cmake("-S", source, "-B", build, *options)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    done = cmake("--build", build, "-j2")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def package_folder(package: Package, folder: Path) -> Path:
    return spread(files_of(package, FORMATS["cmake"]), folder)


def test_every_source_is_listed_once(blocks: Package) -> None:
    text = cmake_files(blocks)["CMakeLists.txt"]
    for path in (*blocks.runtime_sources, *blocks.model_sources, *blocks.headers):
        assert text.count(f" {path}\n") == 1, path
    assert "GLOB" not in text


@pytest.mark.slow
@needs_cmake
def test_the_self_test_of_the_readme(blocks: Package, tmp_path: Path) -> None:
    built(package_folder(blocks, tmp_path / "p"), tmp_path / "b", "-DDIMMER_SELFTEST=ON")
    done = subprocess.run([tmp_path / "b" / "dimmer_blocks_selftest"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*(f"mode {n}: as TFLite computes it" for n in range(3)), "0 of 3 modes differ"]


@needs_cmake
@pytest.mark.slow
def test_the_self_test_tells_a_wrong_number(blocks: Package, tmp_path: Path) -> None:
    built(package_folder(wrong_answer(blocks), tmp_path / "p"), tmp_path / "b", "-DDIMMER_SELFTEST=ON")
    done = subprocess.run([tmp_path / "b" / "dimmer_blocks_selftest"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "mode 0: DIFFERENT\n" in done.stdout
    assert done.stdout.endswith("1 of 3 modes differ\n")


@needs_cmake
@pytest.mark.slow
def test_installed_and_found(blocks: Package, tmp_path: Path) -> None:
    folder, prefix = package_folder(blocks, tmp_path / "p"), tmp_path / "prefix"
    built(folder, tmp_path / "b", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    assert cmake("--install", tmp_path / "b").returncode == 0
    find = f"find_package({blocks.symbol} 1.0 REQUIRED)"
    user = {
        "CMakeLists.txt": USER.format(find=find, symbol=blocks.symbol),
        "main.cpp": BOARD_MAIN.format(symbol=blocks.symbol, macro=blocks.macro),
    }
    spread(user, tmp_path / "user")
    built(tmp_path / "user", tmp_path / "ub", f"-DCMAKE_PREFIX_PATH={prefix}")
    subprocess.run([tmp_path / "ub" / "user"], check=True)
    done = cmake("-S", tmp_path / "user", "-B", tmp_path / "u2")
    assert done.returncode != 0
    text = (tmp_path / "user" / "CMakeLists.txt").read_text()
    (tmp_path / "user" / "CMakeLists.txt").write_text(text.replace(" 1.0 ", " 2.0 "))
    done = cmake("-S", tmp_path / "user", "-B", tmp_path / "u3", f"-DCMAKE_PREFIX_PATH={prefix}")
    assert "version: 1.0.0" in done.stderr


@needs_cmake
@pytest.mark.slow
def test_fetched(blocks: Package, tmp_path: Path) -> None:
    folder = package_folder(blocks, tmp_path / "p")
    find = (
        f"include(FetchContent)\nFetchContent_Declare({blocks.symbol} SOURCE_DIR {folder})\n"
        f"FetchContent_MakeAvailable({blocks.symbol})"
    )
    user = {
        "CMakeLists.txt": USER.format(find=find, symbol=blocks.symbol),
        "main.cpp": BOARD_MAIN.format(symbol=blocks.symbol, macro=blocks.macro),
    }
    spread(user, tmp_path / "user")
    built(tmp_path / "user", tmp_path / "ub")
    subprocess.run([tmp_path / "ub" / "user"], check=True)


def two_models(first: Package, second: Package, folder: Path) -> Path:
    """A project of two packages, with a program for each."""
    package_folder(first, folder / "first")
    package_folder(second, folder / "second")
    mains = {f"{p.symbol}.cpp": BOARD_MAIN.format(symbol=p.symbol, macro=p.macro) for p in (first, second)}
    return spread({"CMakeLists.txt": TWO.format(models=f"{first.symbol} {second.symbol}"), **mains}, folder)


@needs_cmake
@pytest.mark.slow
def test_two_models_have_one_runtime(blocks: Package, resnet: Package, tmp_path: Path) -> None:
    built(two_models(blocks, resnet, tmp_path / "two"), tmp_path / "b")
    for package in (blocks, resnet):
        subprocess.run([tmp_path / "b" / f"{package.symbol}_test"], check=True)
    assert len(list((tmp_path / "b").rglob("libdimmer_runtime.a"))) == 1


@needs_cmake
@pytest.mark.slow
def test_two_runtimes_are_refused(blocks: Package, resnet: Package, tmp_path: Path) -> None:
    path = resnet.runtime_sources[0]
    other = replace(resnet, runtime={**resnet.runtime, path: resnet.runtime[path] + "\n"})
    done = cmake("-S", two_models(blocks, other, tmp_path / "two"), "-B", tmp_path / "b")
    assert done.returncode != 0
    assert "bring different runtimes of Dimmer" in done.stderr


FINDER = """\
cmake_minimum_required(VERSION 3.16)
project(finder LANGUAGES C)
find_package({first} REQUIRED)
find_package({second} REQUIRED)
"""


@needs_cmake
@pytest.mark.parametrize("same", [True, False])
def test_two_runtimes_that_were_installed_are_refused(
    blocks: Package, resnet: Package, tmp_path: Path, same: bool
) -> None:
    path = resnet.runtime_sources[0]
    other = resnet if same else replace(resnet, runtime={**resnet.runtime, path: resnet.runtime[path] + "\n"})
    prefixes = []
    for package in (blocks, other):
        folder, build, prefix = (tmp_path / f"{package.symbol}{what}" for what in ("", "-build", "-installed"))
        package_folder(package, folder)
        assert cmake("-S", folder, "-B", build, f"-DCMAKE_INSTALL_PREFIX={prefix}").returncode == 0
        # What is in a library is not looked at when it is found.
        for library in (package.symbol, "dimmer_runtime"):
            (build / f"lib{library}.a").touch()
        assert cmake("--install", build).returncode == 0
        prefixes.append(str(prefix))
    spread({"CMakeLists.txt": FINDER.format(first=blocks.symbol, second=other.symbol)}, tmp_path / "user")
    done = cmake("-S", tmp_path / "user", "-B", tmp_path / "ub", f"-DCMAKE_PREFIX_PATH={';'.join(prefixes)}")
    assert (done.returncode == 0) == same, done.stderr
    said = " ".join(done.stderr.split())
    assert ("make both packages with one version of Dimmer" in said) != same
    assert same or (blocks.runtime_hash in said and other.runtime_hash in said)


@needs_cmake
@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.board("mps2-an386")
def test_keyword_spotting_beside_resnet_8_in_one_program_on_a_cortex_m4(tmp_path: Path) -> None:
    """Both packages are compiled by CMake for the core; a program in C++ runs both by turns, exactly."""
    kinds = kinds_of(["cortex-m4", "cortex-m0plus", "portable"])
    first, second = models = [
        make_package(PackageOrder(foreign_order([file]), kinds, name=name))
        for name, file in (("resnet8", RESNET), ("kws", KWS))
    ]
    project = two_models(first, second, tmp_path / "two")
    (project / "m4.cmake").write_text(TOOLCHAIN)
    build = tmp_path / "b"
    assert cmake("-S", project, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={project / 'm4.cmake'}").returncode == 0
    done = cmake("--build", build, "-j2", "--target", *(model.symbol for model in models))
    assert done.returncode == 0, done.stderr[-2000:]
    words = zip(("FIRST", "SECOND"), models, strict=True)
    ends = [f"{end}_{what}" for end in ("INPUT", "OUTPUT") for what in ("SCALE", "ZERO_POINT")]
    lines = []
    for word, model in words:
        lines += [f'#include "{model.symbol}.h"', f"#define {word} {model.symbol}"]
        lines += [f"#define {word}_{name} {model.macro}_{name}" for name in ("ARENA_SIZE", *ends)]
    (tmp_path / "two_models.h").write_text("\n".join(lines) + "\n")
    target = load_target("mps2-an386")
    kit = target.toolchain
    archives = [*(str(next(build.rglob(f"lib{model.symbol}.a"))) for model in models)]
    archives.append(str(next(build.rglob("libdimmer_runtime.a"))))
    kit = dataclasses.replace(kit, flags=(*kit.flags, "-fno-exceptions"), link_flags=(*archives, *kit.link_flags))
    main = Path(__file__).parents[3] / "firmware_gen" / "two_models.cpp"
    text = next(path for path in APPLICATION if path.name == "text.c")
    places = [tmp_path, project / "first" / "src", project / "second" / "src"]
    elf = replace(target, toolchain=kit).compile([main, text], places, tmp_path / "out")
    records, expected = [], []
    for number, file in enumerate((RESNET, KWS)):
        # So many edge cases and as many random ones.
        inputs = sample_inputs(file, SAMPLES // 2)
        outputs = reference_outputs(file, inputs)
        size, step = len(inputs) // SAMPLES, len(outputs) // SAMPLES
        records.append([bytes((number, 0)) + inputs[at : at + size] for at in range(0, len(inputs), size)])
        expected.append([outputs[at : at + step] for at in range(0, len(outputs), step)])
    (tmp_path / "in.bin").write_bytes(b"".join(itertools.chain(*zip(*records, strict=True))))
    assert target.run(elf, ["in.bin", "out.bin"], tmp_path).returncode == 0
    answers = (tmp_path / "out.bin").read_bytes()
    assert len(answers) == SAMPLES * (10 + 12)
    assert answers == b"".join(itertools.chain(*zip(*expected, strict=True)))


@needs_cmake
@pytest.mark.slow
def test_a_package_of_another_kind_of_core_stops_the_compiler(tmp_path: Path) -> None:
    folder = package_folder(modes_package(tmp_path, ["cortex-m4"]), tmp_path / "p")
    assert cmake("-S", folder, "-B", tmp_path / "b").returncode == 0
    done = cmake("--build", tmp_path / "b", "--target", "dimmer_blocks")
    assert done.returncode != 0
    assert "dimmer_blocks was made for other cores (Arm with the DSP extension)" in done.stderr


@needs_cmake
@pytest.mark.slow
def test_the_tutorial_as_it_is_typed(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorials" / "own-project.md").read_text()
    (tmp_path / "network.tflite").write_bytes(tiny_resnet())
    script = "".join(re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    script = f'dimmer() {{ "{sys.executable}" -m dimmer.pipeline.cli "$@"; }}\n{script}'
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("0 of 1 modes differ\n")
    lists, code = (re.findall(rf"^```{name}\n(.*?)^```", page, re.DOTALL | re.MULTILINE) for name in ("cmake", "c"))
    head = "cmake_minimum_required(VERSION 3.16)\nproject(own LANGUAGES C)\nadd_executable(firmware main.c)\n"
    main = "int main(void)\n{\n    static float value[DIMMER_DOOR_INPUT_SIZE];\n\n    return which(value) >= 10;\n}\n"
    spread({"CMakeLists.txt": head + "".join(lists), "main.c": "".join(code) + main}, tmp_path)
    built(tmp_path, tmp_path / "own")
    subprocess.run([tmp_path / "own" / "firmware"], check=True)


def test_a_tflite_alone_is_enough(tmp_path: Path) -> None:
    assert cmake_files(resnet_package(tmp_path, ["portable"]))["CMakeLists.txt"].startswith("# SPDX")
