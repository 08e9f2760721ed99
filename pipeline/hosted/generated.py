# SPDX-License-Identifier: Apache-2.0
"""Where a path leads: to generated C that this machine can run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.text import described_scale, described_shape
from dimmer.firmware_gen.library import RUNTIME
from dimmer.pipeline.hosted.parts import HostedPart, distinct

GENERAL = "dimmer_model.h"
HOST = "host"
PORTABLE = "portable"
"""Folder of the kernels that every machine can run."""

_WHAT = (
    "give a build folder (build/<model>), a folder with dimmer_<model>.c, or .tflite files; 'dimmer build --model M "
    "--target host' and 'dimmer firmware --tflite F --target host' make such folders"
)


@dataclass(frozen=True)
class Generated:
    """The C of a model.

    Attributes:
        source, header: ``dimmer_<model>.c`` and ``.h``.
        kernels: C functions that it calls.
    """

    source: Path
    header: Path
    kernels: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it lies, with dimmer_model.h."""
        return self.source.parent

    @property
    def foreign_kernels(self) -> tuple[str, ...]:
        """Kernels for other machines than this one."""
        return tuple(name for name in self.kernels if _kernel_folders()[name] != PORTABLE)

    def parts(self, end: str) -> tuple[HostedPart, ...]:
        """Of several "INPUT"s or "OUTPUT"s where each lies, as the header tells it; nothing of one."""
        text = _text(self.header)
        measured = {
            number: (_floats(offset), _floats(step))
            for number, offset, step in re.findall(
                r"^static inline int8_t \w+_input_code_(\d+)\(float value, unsigned channel\)\n\{\n"
                r" +static const float offset\[\d+\] = \{(.*?)\};\n +static const float step\[\d+\] = \{(.*?)\};",
                text,
                re.MULTILINE | re.DOTALL,
            )
        }
        places = re.findall(
            rf"^#define \w+_{end}_(\d+)_OFFSET (\d+)u /\* bytes into them; (.*) \*/", text, re.MULTILINE
        )
        found = []
        for (number, offset, _), name in zip(places, distinct([name for _, _, name in places]), strict=True):
            told = re.search(rf"^#define \w+_{end}_{number}_SIZE (\d+)u /\* bytes: (.+?) \*/", text, re.MULTILINE)
            shape = None if told is None else described_shape(told[2])
            if told is None or shape is None:
                raise DimmerError(f"{self.header} does not tell the shape of {end.lower()} {number}: generate it again")
            scale, zero_point = described_scale(told[2])
            dtype = told[2].partition("[")[0]
            made = HostedPart(name, shape, dtype, scale, zero_point, int(offset), int(told[1]))
            lowest, step = measured.get(number, ((), ())) if end == "INPUT" else ((), ())
            found.append(replace(made, lowest=lowest, step=step))
        return tuple(found)

    def shape(self, end: str) -> tuple[int, ...]:
        """Shape of the "INPUT" or the "OUTPUT", as the header tells it.

        Raises:
            DimmerError: the header does not.
        """
        found = re.search(rf"^#define \w+_{end}_SIZE \w+ /\* bytes: (.+?) \*/", _text(self.header), re.MULTILINE)
        shape = None if found is None else described_shape(found[1])
        if shape is None:
            raise DimmerError(f"{self.header} does not tell the shape of its {end.lower()}: generate it again")
        return shape


def find_generated(path: Path) -> Generated:
    """The C of a build folder (build/<model>, build/<model>/<target>) or of a firmware's folder.

    Where a target's C needs another core than this machine's, it is that of the same build for the host.

    Raises:
        DimmerError: there is none, or none that this machine can run.
    """
    # Of "." the folder above it has no name.
    path = path.absolute()
    if not path.is_dir():
        raise DimmerError(f"{path} is no folder and no .tflite file: {_WHAT}")
    # The stage's own first: the copies beside it may be older.
    given = next(_in_folders(path / "firmware", path), None)
    places = [path / HOST / "firmware", path / HOST]
    if given is not None:
        if not given.foreign_kernels:
            return given
        # build/<model>/<target>, and the folder firmware in it.
        places = [path.parent / HOST / "firmware", path.parent.parent / HOST / "firmware"]
    found = next((made for made in _in_folders(*places) if not made.foreign_kernels), None)
    if found is not None:
        return found
    if given is None:
        raise DimmerError(f"{path} has no generated C for this machine ({GENERAL}): {_WHAT}")
    raise DimmerError(
        f"{given.source} was generated for another core ({given.foreign_kernels[0]} does not run here): load its "
        ".tflite files, or make the same firmware for the host (--target host)"
    )


def _floats(text: str) -> tuple[float, ...]:
    """The numbers of an initialiser of C floats."""
    return tuple(float(number.strip().rstrip("f")) for number in text.split(","))


def _in_folders(*folders: Path) -> Iterator[Generated]:
    for folder in folders:
        if (folder / GENERAL).is_file():
            yield _read(folder)


def _read(folder: Path) -> Generated:
    named = re.search(r'^#include "(dimmer_\w+)\.h"', _text(folder / GENERAL), re.MULTILINE)
    if named is None:
        raise DimmerError(f"{folder / GENERAL} names no model: generate it again")
    source, header = folder / f"{named[1]}.c", folder / f"{named[1]}.h"
    code = re.sub(r"/\*.*?\*/", "", _text(source), flags=re.DOTALL)
    words = dict.fromkeys(re.findall(r"\bdimmer_\w+\b", code))
    _text(header)
    return Generated(source, header, tuple(word for word in words if word in _kernel_folders()))


@cache
def _kernel_folders() -> dict[str, str]:
    """Kernel -> folder of its instruction set."""
    return {path.stem: path.parent.name for path in (RUNTIME / "kernels").glob("*/dimmer_*.c")}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DimmerError(f"{path} cannot be read ({error}): generate it again") from error
