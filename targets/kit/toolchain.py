# SPDX-License-Identifier: Apache-2.0
"""Compilers, linkers, and what came out of them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from dimmer import children
from dimmer.targets.kit.errors import OverflowedError, TargetError

# gnu99: the application and the start-up code need attributes and assembly; the runtime itself is plain C99.
LANGUAGE_FLAGS = ("-std=gnu99", "-Wall", "-Wextra")
OBJCOPY_FORMATS = {"hex": "ihex", "bin": "binary"}
ENTRIES = "entries.elf"
"""The same program with functions that nothing in it calls, and with its relocations."""
_CACHE = "ccache"
_OVERFLOW = re.compile(r"region [`'\"]?(\w+)['\"]? overflowed by (\d+) bytes")
_WILL_NOT_FIT = re.compile(r"will not fit in region [`'\"]?(\w+)")
_NO_ROOM = "the arena and the stack do not fit into RAM"
"""What bare_metal/link.ld asserts."""
_APPLICATION_INCLUDES = Path(__file__).resolve().parent.parent / "app"


@dataclass(frozen=True)
class Toolchain:
    """How to compile for a target.

    Attributes:
        compilers: commands in the order of preference.
        flags: of the compiler.
        link_flags: of the linker, after those.
        sources: C that every firmware takes in: start-up and platform code. Paths count from target.toml; "dimmer:"
            before one is the folder of the targets that come with Dimmer.
        linker_script: path as of sources; none where the linker has its own.
        objcopy: command; needed where formats are.
        formats: to make from the ELF file, beside it.
        defines: macro -> its value.
        packages: command, or absolute path of a file that must be there -> its Debian package.
    """

    compilers: tuple[str, ...]
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    sources: tuple[Path, ...]
    linker_script: Path | None
    objcopy: str | None
    formats: tuple[str, ...]
    defines: Mapping[str, str]
    packages: Mapping[str, str]


@dataclass(frozen=True)
class SectionSizes:
    """Bytes of an ELF file. Flash holds text, rodata and data; RAM holds data and bss, the stack apart.

    Attributes:
        rodata: all that is kept and never written, unwinding tables included.
        by_symbol: functions and objects; those of one name are added up.
    """

    text: int
    rodata: int
    data: int
    bss: int
    by_symbol: Mapping[str, int]


def compile_firmware(
    toolchain: Toolchain,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    out_dir: Path,
    defines: Mapping[str, str],
    symbols: Mapping[str, int],
    entries: Sequence[str] = (),
    apart: Sequence[str] = (),
) -> Path:
    """See Target.compile.

    Args:
        symbols: what the linker script is given.
        apart: sections of regions of their own: a .bin, which has no addresses, gives each a file.
    """
    compiler = compiler_of(toolchain)
    out_dir.mkdir(parents=True, exist_ok=True)
    command = [compiler, *LANGUAGE_FLAGS, *toolchain.flags]
    with children.scratch() as work:
        each = [*command, *(f"-D{name}={value}" for name, value in {**toolchain.defines, **defines}.items())]
        each += [f"-I{_from(out_dir, folder)}" for folder in (*include_dirs, _APPLICATION_INCLUDES)]
        inputs = compile_objects(each, [*toolchain.sources, *sources], work, out_dir)
        command += [*map(str, inputs), *toolchain.link_flags]
        if toolchain.linker_script is not None:
            command += [f"-Wl,--defsym={name}={value:#x}" for name, value in symbols.items()]
            command += ["-T", str(toolchain.linker_script)]
        linked = work / "firmware.elf"
        if entries:
            # However large it is: it is read and never run.
            kept = [f"-Wl,-u,{name}" for name in entries]
            _run([*command, *kept, "-Wl,--noinhibit-exec", "-Wl,--emit-relocs", "-o", str(work / ENTRIES)])
            shutil.move(work / ENTRIES, out_dir / ENTRIES)
        _run([*command, "-o", str(linked)])
        made = [linked]
        for name in toolchain.formats:
            copy = [str(toolchain.objcopy), "-O", OBJCOPY_FORMATS[name]]
            sections = apart if name == "bin" else ()
            made.append(linked.with_suffix(f".{name}"))
            _run([*copy, *(f"--remove-section={section}" for section in sections), str(linked), str(made[-1])])
            for section in sections:
                own = linked.with_name(f"{linked.stem}_{section.removeprefix('.dimmer_')}.{name}")
                _run([*copy, f"--only-section={section}", str(linked), str(own)])
                if own.stat().st_size:
                    made.append(own)
        for file in made:
            shutil.move(file, out_dir / file.name)
    return out_dir / linked.name


def compile_library(toolchain: Toolchain, sources: Sequence[Path], include_dirs: Sequence[Path], library: Path) -> None:
    """Compiles and links a shared library for this machine, written whole or not at all.

    Only what a source marks as visible can be called; symbols of several libraries in one process do not meet.

    Raises:
        TargetError: the compiler is missing, or the first thing that it says is wrong.
    """
    compiler = compiler_of(toolchain)
    with children.scratch() as folder:
        command = [compiler, *LANGUAGE_FLAGS, *toolchain.flags, "-fPIC", "-fvisibility=hidden"]
        command += [f"-I{path.resolve()}" for path in include_dirs]
        objects = compile_objects(command, sources, folder, folder)
        made = folder / library.name
        _run([compiler, *toolchain.flags, "-shared", *map(str, objects), "-o", str(made)])
        # It may come from another disk, and is to be there whole or not at all, where another thread makes it, too.
        handle, beside = tempfile.mkstemp(dir=library.parent, prefix=f".{library.name}.")
        try:
            # Otherwise it would be its owner's alone.
            os.fchmod(handle, 0o644)
            os.close(handle)
            shutil.copyfile(made, beside)
            os.replace(beside, library)
        finally:
            Path(beside).unlink(missing_ok=True)


def compile_objects(command: Sequence[str], sources: Sequence[Path], folder: Path, cwd: Path) -> list[Path]:
    """Compiles each source by itself, as many at a time as there are processors.

    Where ccache is installed it is used: most files of the runtime are the same from build to build.

    Args:
        command: compiler and flags.
        folder: for the object files.
        cwd: where the compiler runs.

    Returns:
        The object files, in the sources' order.

    Raises:
        TargetError: the first thing that the compiler says is wrong.
    """
    cache = [_CACHE] if shutil.which(_CACHE) else []
    objects = [folder / f"{number}-{source.stem}.o" for number, source in enumerate(sources)]

    def compile_one(source: Path, made: Path) -> None:
        _run([*cache, *command, "-c", str(source.resolve()), "-o", str(made)], cwd)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, sources, objects))
    return objects


def _from(folder: Path, other: Path) -> str:
    """``other`` as the compiler is given it, which runs in ``folder``: builds in two places have the same command."""
    return "." if other.resolve() == folder.resolve() else str(other.resolve())


def section_sizes(elf: Path) -> SectionSizes:
    """See Target.size."""
    kinds: Counter[str] = Counter()
    symbols: Counter[str] = Counter()
    try:
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            for section in file.iter_sections():
                kinds[_kind(section)] += section["sh_size"]
                if isinstance(section, SymbolTableSection):
                    for symbol in section.iter_symbols():
                        if symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT"):
                            symbols[symbol.name] += symbol["st_size"]
    except Exception as error:
        # Of a damaged file pyelftools raises whatever comes to it.
        raise TargetError(f"{elf} is no ELF file that can be read ({error}): remove it and build again") from error
    return SectionSizes(
        text=kinds["text"],
        rodata=kinds["rodata"],
        data=kinds["data"],
        bss=kinds["bss"],
        by_symbol={name: size for name, size in sorted(symbols.items()) if size > 0},
    )


def require(tools: Mapping[str, str]) -> None:
    """Raises TargetError that names the first missing tool and its Debian package."""
    for tool, package in tools.items():
        found = Path(tool).exists() if os.path.isabs(tool) else shutil.which(tool) is not None
        if not found:
            raise TargetError(f"{tool} not found: install it with 'sudo apt-get install {package}'")


def compiler_of(toolchain: Toolchain) -> str:
    """The first of a target's compilers that is here.

    Raises:
        TargetError: there is none; the message names the package.
    """
    for name in toolchain.compilers:
        if shutil.which(name) is not None:
            # With a second compiler in place the package of the first is not needed.
            require({tool: package for tool, package in toolchain.packages.items() if os.path.isabs(tool)})
            return name
    require(toolchain.packages)
    raise TargetError(f"{toolchain.compilers[0]} not found: install it and put it on PATH")


def objdump_of(toolchain: Toolchain) -> str:
    """The disassembler that came with a target's objcopy, else the one that its compiler knows.

    Raises:
        TargetError: the compiler is missing, or knows of none.
    """
    beside = re.sub("objcopy$", "objdump", toolchain.objcopy or "")
    if beside.endswith("objdump") and shutil.which(beside) is not None:
        return beside
    compiler = compiler_of(toolchain)
    try:
        found = children.run([compiler, *toolchain.flags, "-print-prog-name=objdump"]).stdout.strip()
    except OSError as error:
        raise TargetError(f"{compiler} cannot be run: {error}") from error
    if shutil.which(found) is None:
        raise TargetError(f"{found or 'objdump'} not found, which comes with {compiler}: install its binutils again")
    return found


def _run(command: list[str], cwd: Path | None = None) -> None:
    try:
        result = children.run(command, cwd=cwd)
    except OSError as error:
        raise TargetError(f"{command[0]} cannot be run: {error}") from error
    if result.returncode != 0:
        name = command[1] if command[0] == _CACHE else command[0]
        if result.returncode < 0:
            raise TargetError(f"{name} {children.how_it_ended(result.returncode)}")
        message = f"{name} failed: {_first_complaint(result.stderr)}"
        if regions := overflowed(result.stderr):
            raise OverflowedError(message, regions)
        raise TargetError(message)


def overflowed(output: str) -> dict[str, int | None]:
    """Regions, in lower case, that a linker says are too small, and by how many bytes, where it tells."""
    found: dict[str, int | None] = {}
    for name, count in _OVERFLOW.findall(output):
        found[name.lower()] = int(count)
    for name in _WILL_NOT_FIT.findall(output):
        found.setdefault(name.lower(), None)
    if not found and _NO_ROOM in output:
        found["ram"] = None
    return found


def _first_complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marks = ("error:", "undefined reference", "multiple definition", "will not fit", "overflowed", "cannot find")
    return next((line for line in lines if any(mark in line for mark in marks)), lines[0] if lines else "no message")


def _kind(section: object) -> str:
    header = section.header  # type: ignore[attr-defined]
    flags = header["sh_flags"]
    if not flags & 0x2:  # SHF_ALLOC
        return "file only"
    if header["sh_type"] == "SHT_NOBITS":
        return "bss"
    if flags & 0x4:  # SHF_EXECINSTR
        return "text"
    return "data" if flags & 0x1 else "rodata"  # SHF_WRITE
