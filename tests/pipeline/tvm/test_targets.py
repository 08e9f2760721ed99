# SPDX-License-Identifier: Apache-2.0
"""What TVM compiles for."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.projects.files import project_files
from dimmer.pipeline.projects.wanted import Wanted
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.tvm.dot import ARM, PLAIN, dot_of
from dimmer.pipeline.tvm.targets import TARGETS, kernel_flags, processor_with, tvm_target
from dimmer.targets import Target, load_target, target_names


def test_every_target_whose_engine_is_tvm_is_known() -> None:
    engines = {name for name in target_names() if load_target(name).engine == "tvm"}
    assert engines == set(TARGETS) - {"host"}


def test_only_this_machine_s_code_is_native() -> None:
    assert tvm_target(load_target("host")).is_native
    assert tvm_target(load_target("jetson")).is_native == (platform.machine() == "aarch64")


def test_another_target_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        DimmerError, match="TVM compiles nothing for mps2-an386: name one of host, jetson, linux-aarch64"
    ):
        tvm_target(load_target("mps2-an386"))


def own(folder: Path, template: str, old: str = "", new: str = "") -> Target:
    """A target as `dimmer init --own-target board` writes it, with a line of it changed."""
    text = project_files(Wanted("door", target=template, own_target="board"))[
        PurePosixPath("targets/board/target.toml")
    ]
    assert old in text
    (folder / "board").mkdir(exist_ok=True)
    (folder / "board" / "target.toml").write_text(text.replace(old, new))
    return load_target(str(folder / "board"))


def test_a_target_of_one_s_own_is_what_its_file_says(tmp_path: Path) -> None:
    for template in ("jetson", "linux-aarch64"):
        assert tvm_target(own(tmp_path, template)) == replace(TARGETS[template], name="board")
    newer = tvm_target(own(tmp_path, "linux-aarch64", 'core = "cortex-a72"', 'core = "cortex-a76"'))
    assert newer == replace(TARGETS["linux-aarch64"], name="board", llvm={**newer.llvm, "mcpu": "cortex-a76"})
    here = own(tmp_path, "jetson", 'compilers = ["aarch64-linux-gnu-gcc"]', 'compilers = ["gcc"]')
    assert tvm_target(here).is_native
    for compiler in ("arm-none-eabi-gcc", "clang"):
        other = own(tmp_path, "jetson", 'compilers = ["aarch64-linux-gnu-gcc"]', f'compilers = ["{compiler}"]')
        with pytest.raises(
            DimmerError, match=rf"target\.toml: toolchain\.compilers begins with {compiler}: TVM's libra"
        ):
            tvm_target(other)


def test_a_build_that_tvm_cannot_do_does_not_begin(tmp_path: Path) -> None:
    recipe = load_recipe("mnist5k-r14")
    BuildContext(recipe, own(tmp_path, "jetson"), tmp_path)
    with pytest.raises(DimmerError, match="TVM's library is linked by a gcc for Linux"):
        BuildContext(recipe, own(tmp_path, "jetson", '["aarch64-linux-gnu-gcc"]', '["clang"]'), tmp_path)


def test_processors() -> None:
    pytest.importorskip("tvm", reason="needs apache-tvm")
    assert TARGETS["jetson"].processor().attrs["mcpu"] == "cortex-a78ae"
    assert dot_of(TARGETS["jetson"].processor()) == ARM
    assert dot_of(TARGETS["linux-aarch64"].processor()) == PLAIN
    assert TARGETS["host"].processor().attrs["mcpu"], "the host's code is for the processor that it has"


# LLVM's features of a few processors, as far as they matter, and flags as kernels print them.
AVX2 = {"sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "avx", "avx2", "fma", "f16c"}
AVX2 |= {"bmi", "bmi2", "lzcnt", "movbe", "popcnt", "64bit"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512bf16", "avx512vnni", "gfni"}
V2_FLAGS = {"fpu", "sse", "sse2", "pni", "ssse3", "sse4_1", "sse4_2", "popcnt"}
V3_FLAGS = V2_FLAGS | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
V4_FLAGS = V3_FLAGS | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


@pytest.mark.parametrize(
    ("name", "needed", "flags", "chosen"),
    [
        ("znver4", AVX512, V4_FLAGS | {"avx512_bf16", "avx512_vnni", "gfni"}, "znver4"),
        ("znver4", AVX512, V4_FLAGS, "x86-64-v4"),
        ("znver4", AVX512, V3_FLAGS, "x86-64-v3"),
        ("haswell", AVX2, V3_FLAGS, "haswell"),
        ("haswell", AVX2, V2_FLAGS, "x86-64-v2"),
        ("haswell", AVX2, V3_FLAGS - {"bmi1"}, "x86-64-v2"),
        ("haswell", AVX2, V3_FLAGS - {"abm"}, "x86-64-v2"),
        ("haswell", AVX2, {"fpu", "sse", "sse2"}, "x86-64"),
        ("haswell", AVX2, set(), "haswell"),
        ("sapphirerapids", AVX512 | {"amx-tile"}, V4_FLAGS | {"avx512_bf16", "avx512_vnni", "gfni"}, "sapphirerapids"),
        ("btver2", {"sse2", "sse-unaligned-mem"}, {"sse2"}, "btver2"),
    ],
)
def test_instructions_that_a_hypervisor_withholds_are_not_used(
    name: str, needed: set[str], flags: set[str], chosen: str
) -> None:
    assert processor_with(name, needed, flags) == chosen


def test_flags_are_the_kernel_s(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    assert kernel_flags(info) == frozenset()
    info.write_text("processor\t: 0\nflags\t\t: fpu avx2\nbugs\t\t: none\nprocessor\t: 1\nflags\t\t: fpu avx2\n")
    assert kernel_flags(info) == {"fpu", "avx2"}
    info.write_text("processor\t: 0\n")
    assert kernel_flags(info) == frozenset()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels are x86-64's")
def test_llvm_knows_every_level() -> None:
    tvm = pytest.importorskip("tvm", reason="needs apache-tvm")
    from tvm.target.codegen import llvm_get_cpu_features

    for level in ("x86-64-v4", "x86-64-v3", "x86-64-v2", "x86-64"):
        features = {str(word) for word in llvm_get_cpu_features(tvm.target.Target({"kind": "llvm", "mcpu": level}))}
        assert ("avx2" in features) == (level in ("x86-64-v4", "x86-64-v3"))
