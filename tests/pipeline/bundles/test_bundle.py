# SPDX-License-Identifier: Apache-2.0
"""A bundle runs, forces a level, reads a battery, and refuses what is damaged or for another machine or TVM."""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.artifacts.bundle import Manifest
from dimmer.pipeline.bundles.bundle import MACHINES, make_bundle
from dimmer.pipeline.inspection.bundles import inspect_bundle
from dimmer.pipeline.tvm.parts import GpuCode
from dimmer.pipeline.tvm.runtime import tvm_runtime
from dimmer.targets import load_target
from dimmer.targets.runners.ssh import check_bundle
from tests.pipeline.toy_modes import NAMES, SAMPLES, SHAPE, expected, native, toy_modules, toy_self_test

pytest.importorskip("tvm", reason="needs apache-tvm")
MACHINE = platform.machine()
pytestmark = [
    pytest.mark.xdist_group("bundle"),
    pytest.mark.skipif(MACHINE not in MACHINES.values(), reason=f"no bundles for {MACHINE}"),
]


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def run(bundle: Path, *arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(bundle / "bin" / "dimmer-run"), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def events(bundle: Path, *arguments: str | Path, stdin: bytes = b"") -> list[dict[str, Any]]:
    done = run(bundle, *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusal(bundle: Path, *arguments: str | Path) -> str:
    done = run(bundle, *arguments)
    assert done.returncode == 2, done.stdout
    text = done.stderr.decode()
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


def test_self_test_is_bit_exact_in_every_mode(made: Path) -> None:
    lines = events(made, "--self-test")
    assert [(line["mode"], line["samples"], line["mismatches"], line["ok"]) for line in lines] == [
        (name, SAMPLES, 0, True) for name in NAMES
    ]


def test_self_test_sees_one_wrong_bit(bundle: Path) -> None:
    path = bundle / "selftest" / "80.i8"
    wrong = bytearray(path.read_bytes())
    wrong[37] ^= 1
    path.write_bytes(wrong)
    done = run(bundle, "--self-test")
    assert done.returncode == 1
    assert [json.loads(line)["mismatches"] for line in done.stdout.splitlines()] == [0, 1]


@pytest.mark.parametrize(("percent", "mode"), [("100", "88"), ("50", "88"), ("49.9", "80"), ("0", "80")])
def test_battery_forces_a_level(made: Path, tmp_path: Path, percent: str, mode: str) -> None:
    images = np.random.default_rng(2).integers(0, 256, (5, *SHAPE[1:]), np.uint8)
    np.save(tmp_path / "images.npy", images)
    lines = events(made, "--battery", percent, tmp_path / "images.npy")
    best = expected((images.astype(np.int16) - 128).astype(np.int8), mode)
    assert [line["class"] for line in lines] == best.argmax(1).tolist()
    assert [line["score"] for line in lines] == best.max(1).tolist()
    assert [line["frame"] for line in lines] == [0, 1, 2, 3, 4]
    assert {line["mode"] for line in lines} == {mode}
    assert {line["charge_permille"] for line in lines} == {round(float(percent) * 10)}
    assert all(line["latency_us"] > 0 for line in lines)


def test_mode_is_forced_and_frames_come_from_standard_input(made: Path) -> None:
    lines = events(made, "--mode", "80", "--format", "u8", "-", stdin=bytes(2 * 60))
    assert [(line["mode"], line["charge_permille"]) for line in lines] == [("80", None)] * 2


def test_battery_is_read_from_sysfs(made: Path, tmp_path: Path) -> None:
    supply = tmp_path / "power_supply" / "BAT0"
    supply.mkdir(parents=True)
    (supply / "type").write_text("Battery\n")
    (tmp_path / "a.i8").write_bytes(bytes(60))
    for capacity, mode in ((90, "88"), (10, "80")):
        (supply / "capacity").write_text(f"{capacity}\n")
        (line,) = events(made, "--battery-path", supply.parent, tmp_path / "a.i8")
        assert (line["mode"], line["charge_permille"]) == (mode, capacity * 10)


def test_modes_are_listed(made: Path) -> None:
    assert [(line["id"], line["name"]) for line in events(made, "--modes")] == [(0, "88"), (1, "80")]


def test_no_battery_is_one_line(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a.i8").write_bytes(bytes(60))
    assert "no battery in" in refusal(made, "--battery-path", tmp_path, tmp_path / "a.i8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no image named"),
        (["--mode", "44", "a.i8"], "toy has no mode 44"),
        (["--battery", "101", "a.i8"], "--battery takes no 101"),
        (["--battery", "a.i8"], "--battery takes no a.i8"),
        (["--battery"], "--battery needs a value"),
        (["--lamp", "1"], "unknown option --lamp"),
        (["--device", "tpu", "a.i8"], "--device takes no tpu"),
        (["--device", "cuda", "--self-test"], "this bundle has no modes for a GPU: run with --device cpu"),
        (["--mode", "88", "absent.npy"], "absent.npy cannot be opened"),
        (["--bundle", "/absent", "--self-test"], "lib/VERSION is missing in /absent"),
    ],
)
def test_a_wrong_command_line_is_one_line(made: Path, arguments: list[str], message: str) -> None:
    assert message in refusal(made, *arguments)


def test_without_a_gpu_cuda_is_one_line(tmp_path: Path) -> None:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        pass
    else:
        pytest.skip("there is a GPU here")
    modules, runtime = toy_modules(MACHINE, tmp_path / "modules"), tvm_runtime(MACHINE, tmp_path / "cache")
    (tmp_path / "kernels").write_bytes(b"not read: there is no GPU")
    both = dataclasses.replace(modules, gpu=GpuCode(modules.library, tmp_path / "kernels", "sm_87"))
    out = tmp_path / "bundle"
    manifest = make_bundle("toy", both, even_policy(2), toy_self_test(), runtime, native(load_target("jetson")), out)
    assert manifest.gpu == "sm_87"
    assert (out / "lib" / "dimmer_modes_cuda.so").is_file()
    assert "no GPU with CUDA 13 here (lib/libtvm_runtime_cuda.so cannot be loaded: " in refusal(
        out, "--device", "cuda", "--self-test"
    )
    assert [line["ok"] for line in events(out, "--device", "cpu", "--self-test")] == [True, True]
    flip(out / "lib" / "dimmer_modes.cubin")
    assert "lib/dimmer_modes.cubin is damaged (CRC)" in refusal(out, "--self-test")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def foreign(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[18] = 183 if MACHINE == "x86_64" else 62
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("lib/dimmer_modes.so", cut, "bytes: copy the bundle again"),
        ("lib/dimmer_modes.so", flip, "is damaged (CRC)"),
        ("lib/dimmer_modes.so", Path.unlink, "is missing in"),
        ("lib/dimmer_modes.so", foreign, ": install the bundle for this machine"),
        ("lib/libtvm_runtime.so", cut, "libtvm_runtime.so has"),
        ("weights.bin", cut, "weights.bin has 56 of its 63 bytes"),
        ("weights.bin", flip, "weights.bin is damaged (CRC)"),
        ("selftest/inputs.i8", cut, "selftest/inputs.i8 has not the 6000 bytes"),
    ],
)
def test_a_damaged_bundle_is_refused(bundle: Path, name: str, damage: Callable[[Path], None], message: str) -> None:
    damage(bundle / name)
    assert message in refusal(bundle, "--self-test")
    with pytest.raises(DimmerError, match=name.replace(".", r"\.")):
        check_bundle(bundle)


def test_another_tvm_is_refused_with_both_versions_named(bundle: Path) -> None:
    ours = (bundle / "lib" / "VERSION").read_text().strip()
    (bundle / "lib" / "VERSION").write_text("0.9.1\n")
    said = refusal(bundle, "--self-test")
    assert "is 0.9.1, " in said
    assert f"by TVM {ours}:" in said


def test_modes_of_another_tvm_make_no_bundle(tmp_path: Path) -> None:
    modules = toy_modules(MACHINE, tmp_path / "modules")
    runtime = tvm_runtime(MACHINE, tmp_path / "cache")
    older = dataclasses.replace(modules, tvm_version="0.9.1")
    test, target = toy_self_test(), native(load_target("jetson"))
    with pytest.raises(DimmerError, match=rf"by TVM 0\.9\.1, the runtime is TVM {runtime.version}"):
        make_bundle("toy", older, even_policy(2), test, runtime, target, tmp_path / "out")
    other = dataclasses.replace(runtime, machine="riscv64")
    with pytest.raises(DimmerError, match=f"is for {MACHINE}, TVM's runtime for riscv64"):
        make_bundle("toy", modules, even_policy(2), test, other, target, tmp_path / "out")


def test_a_bundle_that_is_made_is_whole(made: Path) -> None:
    assert inspect_bundle(made).problems == ()


def test_a_name_that_no_installer_takes_makes_no_bundle(tmp_path: Path) -> None:
    modules, runtime = toy_modules(MACHINE, tmp_path / "modules"), tvm_runtime(MACHINE, tmp_path / "cache")
    target = native(load_target("jetson"))
    for name in ("a lamp", ".lamp", "../lamp", ""):
        with pytest.raises(DimmerError, match="is no name of a folder on a board: take letters, digits"):
            make_bundle(name, modules, even_policy(2), toy_self_test(), runtime, target, tmp_path / "out")


def test_the_same_content_has_the_same_version(made: Path, tmp_path: Path) -> None:
    manifest = Manifest.load(made)
    modules, runtime = toy_modules(MACHINE, tmp_path / "modules"), tvm_runtime(MACHINE, tmp_path / "cache")
    target = native(load_target("jetson"))
    policy = dataclasses.replace(even_policy(2), dwell_s=61)
    other = make_bundle("toy", modules, policy, toy_self_test(), runtime, target, tmp_path / "out")
    assert other.version != manifest.version
    assert manifest.architecture == MACHINE
    assert manifest.tvm == runtime.version
    assert set(manifest.files) >= {"bin/dimmer-run", "weights.bin", "install.sh", "tensorrt/build_engines.py"}
    assert any("LICENSE" in name for name in manifest.files)


def test_it_installs_itself_and_runs_from_there(made: Path, bundle: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    subprocess.run(["sh", str(made / "install.sh"), str(prefix)], check=True, capture_output=True)
    installed = prefix / "current"
    assert [line["ok"] for line in events(installed, "--self-test")] == [True, True]
    # Checksums that fit a result that does not: only the self-test can see it.
    flip(bundle / "selftest" / "80.i8")
    manifest = (bundle / "manifest.json").read_text()
    (bundle / "manifest.json").write_text(re.sub('"version": ".*"', '"version": "other"', manifest, count=1))
    names = [line.split(maxsplit=1)[1] for line in (bundle / "SHA256SUMS").read_text().splitlines()]
    sums = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (bundle / "SHA256SUMS").write_text("".join(sums))
    done = subprocess.run(["sh", str(bundle / "install.sh"), str(prefix)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the self-test of other fails; ")
    assert [line["ok"] for line in events(installed, "--self-test")] == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.board(name)) for name in ("jetson", "linux-aarch64")]
)
def test_the_board_s_bundle_runs_under_emulation(tmp_path: Path, name: str) -> None:
    target = load_target(name)
    try:
        runtime = tvm_runtime("aarch64", tmp_path / "cache")
    except DimmerError as error:
        pytest.skip(str(error))
    modules = toy_modules("aarch64", tmp_path / "modules")
    out = tmp_path / "bundle"
    make_bundle("toy", modules, even_policy(2), toy_self_test(), runtime, target, out)
    done = target.run(out / "bin" / "dimmer-run", ["--self-test"], out)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["mode"], line["samples"], line["mismatches"]) for line in lines] == [("88", 100, 0), ("80", 100, 0)]
