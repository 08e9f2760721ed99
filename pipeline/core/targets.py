# SPDX-License-Identifier: Apache-2.0
"""Targets as commands name them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import typer

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT, file_hash
from dimmer.pipeline.core.debian import require_tools
from dimmer.targets import Target, load_target
from dimmer.targets.counter import emulated_for
from dimmer.targets.kit.family import FAMILIES
from dimmer.targets.runners.rtl import simulator_key
from dimmer.targets.timing.trace import PLUGIN, host_compiler

scratch_option: Any = typer.Option(
    "--scratch-limit", min=0, help="Bytes of arena that a kernel may take for speed, instead of target.toml's."
)


def with_scratch_limit(target: Target, limit: int | None) -> Target:
    """The target with another `scratch_limit`, where one is given."""
    return target if limit is None else replace(target, scratch_limit=limit)


def load_firmware_target(name: str) -> Target:
    """As load_target, for a target that takes a firmware.

    Raises:
        TargetError: there is no such target.
        DimmerError: it takes a bundle, or its NPU computes.
    """
    target = load_program_target(name)
    if target.npu is not None:
        raise DimmerError(
            f"{name} has an NPU, and this is for cores that compute themselves: 'dimmer build --target {name}' has its "
            "firmware, figures and report; docs/npu.md says what else there is"
        )
    return target


def equipped_firmware_target(name: str) -> Target:
    """As load_firmware_target, with compiler and emulator at hand, which are installed where that needs no password.

    Raises:
        TargetError: there is no such target.
        DimmerError: as of load_firmware_target, or tools are missing; the message has one line for all of them.
    """
    target = load_firmware_target(name)
    require_target_tools(target)
    return target


def require_target_tools(target: Target) -> None:
    """All that a target compiles and runs with; of several compilers one will do.

    Without what an emulated board counts with for it there is a note on standard error, and no count.

    Raises:
        DimmerError: something is missing and cannot be installed from here; the message holds the line to type.
    """
    compilers = target.toolchain.compilers
    spare = compilers if any(shutil.which(name) for name in compilers) else ()
    require_tools({tool: package for tool, package in target.tools.items() if tool not in spare})
    counter = emulated_for(target)
    if counter is not None:
        try:
            require_tools(counter.tools)
        except DimmerError as error:
            print(f"note: {counter.name} counts nothing for {target.name}: {error}", file=sys.stderr)


def load_program_target(name: str) -> Target:
    """As load_target, for a target whose build has a firmware.elf, whatever computes there.

    Raises:
        TargetError: there is no such target.
        DimmerError: it takes a bundle.
    """
    target = load_target(name)
    if target.engine == "tvm":
        raise DimmerError(
            f"{name} takes a bundle, no firmware: dimmer build --target {name} makes it and runs its self-test"
        )
    return target


def target_files(target: Target) -> tuple[Path, ...]:
    """The sources of a target's firmware that are not Python: C and linker scripts, its own and the runtime's."""
    own = ROOT / "targets"
    places = {target.folder, own / "app", *(source.parent for source in target.toolchain.sources)}
    if target.toolchain.linker_script is not None:
        places.add(target.toolchain.linker_script.parent)
    if target.family is not None:
        places.add(FAMILIES / target.family)
    if target.variant_of is not None:
        places.add(target.folder.parent / target.variant_of)
    counter = emulated_for(target)
    if counter is not None:
        places |= {counter.folder, *(() if counter.family is None else (FAMILIES / counter.family,))}
    plugin = (PLUGIN,) if _has_timing(target, counter) else ()
    return (*sorted(places), *plugin, ROOT / "firmware_gen" / "runtime")


def tool_versions(target: Target) -> dict[str, str]:
    """Command -> what it says of its version, of compiler and emulator; library that is linked -> SHA-256; simulator of
    a core -> its key.

    Raises:
        TargetError: the package with the core's sources is missing.
    """
    compiler = _compiler(target)
    runner = target.runner.command[0]
    names = [name for name in (compiler, runner, target.toolchain.objcopy) if name is not None and "{" not in name]
    counter = emulated_for(target)
    if counter is not None:
        names.append(counter.runner.command[0])
    if _has_timing(target, counter) and (own := host_compiler()) is not None:
        names.append(own)  # without it there are no cycles
    libraries = (Path(name) for name in target.tools if name.startswith("/"))
    found = {str(path): file_hash(path) for path in libraries if path.is_file()}
    if target.runner.rtl is not None:
        found["simulator"] = simulator_key(target.runner.rtl)
    return {**found, **{name: _version(name) for name in names}}


def _has_timing(target: Target, counter: Target | None) -> bool:
    """Whether cycles are modelled, on the target or on what counts for it."""
    return target.timing is not None or (counter is not None and counter.timing is not None)


def compiler_version(target: Target) -> str:
    """What the target's compiler says that it is; its name where it says nothing, nothing where there is none."""
    compiler = _compiler(target)
    return "" if compiler is None else _version(compiler) or compiler


def _compiler(target: Target) -> str | None:
    return next((name for name in target.toolchain.compilers if shutil.which(name)), None)


@lru_cache(maxsize=32)
def _version(command: str) -> str:
    """The first line of its answer to --version; nothing where it is not installed."""
    try:
        asked = children.run([command, "--version"], timeout_s=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.partition("\n")[0]
