# SPDX-License-Identifier: Apache-2.0
"""A bundle: everything that a Linux board needs to run the modes, in one folder.

bin/dimmer-run           the program            lib/            the modes' library, TVM's runtime, its version
lib/dimmer_modes_cuda.so, lib/dimmer_modes.cubin        the modes for the GPU
weights.bin              once for all modes     selftest/       inputs and, for every mode, the outputs expected
onnx/<mode>.onnx         for TensorRT           tensorrt/       the script that builds engines on the device
install.sh, dimmer.service, bin/dimmer-check     licences/       whose work is in it, under which terms
manifest.json            what it is, for programs; SHA256SUMS has every other file
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.pipeline.artifacts.bundle import Manifest, ManifestMode, ManifestSelfTest, ManifestTensor, is_name
from dimmer.pipeline.bundles.table import BundleTable, TableMode, table_source
from dimmer.pipeline.bundles.third_party import write_notice
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.tvm.parts import Modules, SelfTest, TableTensor
from dimmer.pipeline.tvm.runtime import TvmRuntime, copy_runtime
from dimmer.targets import Target

JETSON = ROOT / "targets" / "jetson"
LINUX = ROOT / "targets" / "linux"
# The engine and the policy of every target; what else lies there are kernels and gates.
RUNTIME_SOURCES = ("check.c", "crc.c", "engine.c", "invoke.c", "policy.c", "reading.c", "report.c", "status.c")
LIBRARY = "lib/dimmer_modes.so"
GPU_LIBRARY, GPU_CODE = "lib/dimmer_modes_cuda.so", "lib/dimmer_modes.cubin"
WEIGHTS = "weights.bin"
INPUTS = "selftest/inputs.i8"
# ELF's e_machine -> what `uname -m` says.
MACHINES = {62: "x86_64", 183: "aarch64"}


def make_bundle(
    model: str, modules: Modules, policy: PolicyConfig, test: SelfTest, runtime: TvmRuntime, target: Target, out: Path
) -> Manifest:
    """Writes a bundle into ``out``, and gives its manifest.

    Raises:
        DimmerError: the library is for another machine or another TVM than the runtime, or the model has a name that
            is none of a folder.
        TargetError: the compiler is missing or complains.
    """
    if not is_name(model):
        raise DimmerError(f"{model!r} is no name of a folder on a board: take letters, digits, '.', '_' and '-'")
    machine = machine_of(modules.library)
    if MACHINES.get(machine) != runtime.machine:
        raise DimmerError(
            f"{modules.library.name} is for {MACHINES.get(machine, f'machine {machine}')}, TVM's runtime for "
            f"{runtime.machine}: compile the modes for {runtime.machine}"
        )
    if modules.tvm_version != runtime.version:
        raise DimmerError(
            f"the modes were compiled by TVM {modules.tvm_version}, the runtime is TVM {runtime.version}: "
            "compile the modes again"
        )
    copy_runtime(runtime, out)
    _copy(modules.library, out / LIBRARY)
    if modules.gpu is not None:
        _copy(modules.gpu.library, out / GPU_LIBRARY)
        _copy(modules.gpu.code, out / GPU_CODE)
    write_notice(runtime, out)
    _copy(modules.weights_file, out / WEIGHTS)
    _write(out / INPUTS, test.inputs)
    for mode in modules.modes:
        _write(out / f"selftest/{mode.name}.i8", test.expected[mode.name])
        _copy(mode.onnx, out / f"onnx/{mode.name}.onnx")
    _copy(JETSON / "build_engines.py", out / "tensorrt" / "build_engines.py")
    for name in ("install.sh", "dimmer.service"):
        _copy(LINUX / name, out / name)
    _copy(LINUX / "dimmer-check", out / "bin" / "dimmer-check")
    libraries = sorted(path.relative_to(out).as_posix() for path in (out / "lib").glob("*.so"))
    table = BundleTable(
        model=model,
        version=_version(out, policy, modules),
        tvm_version=modules.tvm_version,
        machine=machine,
        library=LIBRARY,
        gpu_library=None if modules.gpu is None else GPU_LIBRARY,
        gpu_code=None if modules.gpu is None else GPU_CODE,
        weights_file=WEIGHTS,
        inputs=INPUTS,
        samples=test.samples,
        input=modules.input,
        output=modules.output,
        modes=tuple(TableMode(m.name, m.function, f"selftest/{m.name}.i8", m.weights) for m in modules.modes),
        weights=modules.weights,
        files=(*libraries, *([] if modules.gpu is None else [GPU_CODE]), WEIGHTS),
        policy=policy,
    )
    compile_program(table, target, runtime, out)
    manifest = _manifest(table, modules, runtime, out)
    manifest.save(out)
    (out / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in _sums(out).items()))
    return manifest


def compile_program(table: BundleTable, target: Target, runtime: TvmRuntime, out: Path) -> Path:
    """``out/bin/dimmer-run``, with the table as C beside the sources' folder."""
    source = out / "src" / "bundle_table.c"
    _write(source, table_source(table, out).encode())
    sources = [source, *(RUNTIME / "src" / name for name in RUNTIME_SOURCES)]
    elf = target.compile(sources, [INCLUDE, LINUX, runtime.include], out / "bin")
    return elf.rename(elf.with_name("dimmer-run"))


def machine_of(library: Path) -> int:
    """ELF's e_machine.

    Raises:
        DimmerError: it is no ELF file, or was cut short.
    """
    try:
        with library.open("rb") as stream:
            ELFFile(stream)
            stream.seek(18)
            return int.from_bytes(stream.read(2), "little")
    except (OSError, ELFError) as error:
        raise DimmerError(f"{library} is no library that can be read ({error}): compile the modes again") from error


def _manifest(table: BundleTable, modules: Modules, runtime: TvmRuntime, out: Path) -> Manifest:
    return Manifest(
        model=table.model,
        version=table.version,
        architecture=runtime.machine,
        tvm=table.tvm_version,
        gpu=None if modules.gpu is None else modules.gpu.architecture,
        weights_bytes=(out / WEIGHTS).stat().st_size,
        input=_tensor(modules.input),
        output=_tensor(modules.output),
        modes=tuple(
            ManifestMode(mode.name, f"selftest/{mode.name}.i8", f"onnx/{mode.name}.onnx") for mode in modules.modes
        ),
        self_test=ManifestSelfTest(INPUTS, table.samples),
        files=_sums(out),
    )


def _tensor(tensor: TableTensor) -> ManifestTensor:
    return ManifestTensor(tensor.shape, tensor.size, tensor.scale, tensor.zero_point)


def _version(out: Path, policy: PolicyConfig, modules: Modules) -> str:
    """Another content, another version: of the sources of the program too."""
    digest = hashlib.sha256(
        repr((policy, modules.input, modules.output, [mode.name for mode in modules.modes])).encode()
    )
    for digest_of in _sums(out).values():
        digest.update(digest_of.encode())
    for folder in (LINUX, INCLUDE, RUNTIME / "src"):
        for path in sorted(folder.glob("*.[ch]")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sums(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, to)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
