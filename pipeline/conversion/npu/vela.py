# SPDX-License-Identifier: Apache-2.0
"""Vela: a `.tflite` -> a command stream and constants. It is C++ that dies of some files, so it has its own process."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compiled import CompiledMode, read_compiled
from dimmer.targets.kit.npu import Npu

TIMEOUT_S = 600.0
WAY_OUT = "run the mode by the C kernels of the Cortex-M55 (--target mps3-an547), or convert it without them"
_SIGNALS = {136: -8, 139: -11, 134: -6}
"""What a shell makes of a death by a signal -> what `subprocess` says."""


@dataclass(frozen=True)
class Estimate:
    """What Vela thinks that an inference takes: a model of its own, measured by nobody.

    Attributes:
        cycles: of the NPU's clock.
        clock_mhz: of the system configuration.
        sram_bytes: read and written in SRAM.
        flash_bytes: read outside of it.
    """

    cycles: int
    clock_mhz: float
    sram_bytes: int
    flash_bytes: int


@dataclass(frozen=True)
class Stays:
    """An operator that Vela leaves to the core.

    Attributes:
        tensor: name of its output; empty where Vela tells the kind alone.
        why: in Vela's words.
    """

    kind: str
    tensor: str
    why: str


class StaysError(DimmerError):
    """Vela leaves operators to the core, so that there is no stream of the whole file; which, in a line.

    Attributes:
        operators: all that it tells of.
    """

    def __init__(self, message: str, operators: tuple[Stays, ...]) -> None:
        super().__init__(message)
        self.operators = operators


def compile_stream(name: str, file: str, content: bytes, npu: Npu, out: Path) -> tuple[CompiledMode, Estimate]:
    """Compiles a `.tflite` without weights of 4 bits, and leaves Vela's output as ``out/<name>.npz``.

    Args:
        file: what error messages call it.

    Raises:
        StaysError: it holds operators that the NPU does not take.
        DimmerError: Vela is missing, refuses the file or the configuration, or dies; one line.
        FirmwareGenError: its output is damaged.
    """
    with children.scratch() as work:
        source, made = work / "mode.tflite", work / "made"
        source.write_bytes(content)
        said = _run(file, [*_words(npu), "--output-dir", str(made), str(source)], npu)
        stream = made / "mode_vela.npz"
        if not stream.is_file():
            raise DimmerError(f"{file}: Vela made no command stream ({_last_line(said) or 'it says nothing'})")
        kept = out / f"{name}.npz"
        shutil.copyfile(stream, kept)
        mode = read_compiled(name, kept)
        if mode.payload.accelerator != npu.accelerator:
            raise DimmerError(f"{file}: Vela made a stream for {mode.payload.accelerator}, not {npu.accelerator}")
        return mode, _estimate(made, file)


def _words(npu: Npu) -> list[str]:
    words = [sys.executable, "-m", "ethosu.vela", "--accelerator-config", npu.accelerator, "--config", npu.config]
    words += ["--system-config", npu.system_config, "--memory-mode", npu.memory_mode, "--optimise", npu.strategy]
    return [*words, "--output-format", "raw"]


def _run(file: str, words: list[str], npu: Npu) -> str:
    """What Vela says.

    Raises:
        DimmerError: it did not end well.
    """
    try:
        done = children.run(words, timeout_s=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise DimmerError(f"{file}: Vela did not end within {TIMEOUT_S:g} s; simplify the model") from error
    if done.returncode == 0:
        return done.stdout
    said = f"{done.stdout}\n{done.stderr}"
    if "No module named" in done.stderr and "ethosu" in done.stderr:
        raise DimmerError("Vela is not installed: type pip install 'dimmer-nn[npu]'")
    status = _SIGNALS.get(done.returncode, done.returncode)
    if status < 0:
        raise DimmerError(
            f"{file}: Vela {children.how_it_ended(status)}; it says nothing of why: check the file with dimmer inspect"
        )
    stays = left_to_the_core(said)
    if stays:
        raise StaysError(f"{file}: {complaint(said, npu)}", stays)
    raise DimmerError(f"{file}: {complaint(said, npu)}")


def left_to_the_core(said: str) -> tuple[Stays, ...]:
    """The operators that Vela says it leaves to the core, where that is why it made no stream."""
    found = re.search(r"without passthrough/CPU operations \(found ([^)]*)\)", said)
    if not found:
        return ()
    told = re.findall(r"^Warning \([^)]*\) operator: (\w+), ofm: '(.*?)'\s*\n((?:.+\n?)*)", said, re.MULTILINE)
    stays = [Stays(kind, tensor, " ".join(why.removeprefix("Reason: ").split())) for kind, tensor, why in told]
    known = {one.kind for one in stays}
    more = [kind.strip() for kind in found[1].split(",")]
    return (*stays, *(Stays(kind, "", "Vela does not say") for kind in dict.fromkeys(more) if kind not in known))


def complaint(said: str, npu: Npu) -> str:
    """What is wrong, of all that Vela wrote, and what to do."""
    if "Quantization scale of any tensor must be positive" in said:
        return "a scale of it is too small for Vela, which takes it for 0: train or calibrate the model again"
    found = re.search(r"without passthrough/CPU operations \(found ([^)]*)\)", said)
    if found:
        return f"the NPU does not take {found[1]}: {WAY_OUT}"
    if re.search(r"RawWriter expects 1 graph \(found \d+ graphs\)", said):
        return f"it keeps a state or has several graphs, which the NPU does not take: {WAY_OUT}"
    found = re.search(r"Section (System_Config|Memory_Mode)\.(\S+) not found", said)
    if found:
        key = "system_config" if found[1] == "System_Config" else "memory_mode"
        return f"{npu.config} has no [{found[1]}.{found[2]}]: name one of its sections as {key} in target.toml"
    if (
        "Reading input file" in said
        or "ParsingError" in said
        or "MissingSectionHeader" in said
        or "configparser" in said
    ):
        return f"Vela cannot read the configuration {npu.config}: {_last_line(said)}"
    return f"Vela refuses it: {_last_line(said)}"


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = [line for line in lines if "rror" in line]
    line = (marked or lines or [""])[-1]
    return re.sub(r"^[\w.]*(?:Error|Exception): ", "", line).strip("'\" ")[:300]


def _estimate(folder: Path, file: str) -> Estimate:
    """Of the summary that Vela writes beside its output."""
    try:
        (path,) = folder.glob("*_summary_*.csv")
        with path.open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        flash = float(row["off_chip_flash_total_bytes"]) + float(row["on_chip_flash_total_bytes"])
        return Estimate(
            cycles=int(float(row["cycles_total"])),
            clock_mhz=float(row["core_clock"]) / 1e6,
            sram_bytes=int(float(row["sram_total_bytes"])),
            flash_bytes=int(flash + float(row["dram_total_bytes"])),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
        raise DimmerError(f"{file}: Vela's summary cannot be read ({error}): take Vela 5.2") from error
