# SPDX-License-Identifier: Apache-2.0
"""Whose work a bundle carries, and under which terms: licences/THIRD_PARTY.md, from the wheels' own metadata."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.licences import own_texts
from dimmer.pipeline.tvm.runtime import LIBRARIES, TvmRuntime

NOTICE = "licences/THIRD_PARTY.md"


@dataclass(frozen=True)
class Package:
    """A wheel of which parts lie in a bundle.

    Attributes:
        licence: an SPDX expression, or as the package words it.
        home: an address, or empty.
        libraries: what of it is in lib/.
        texts: its licences and notices, relative to licences/<name>/.
    """

    name: str
    version: str
    licence: str
    home: str
    libraries: tuple[str, ...]
    texts: tuple[str, ...]


def read_package(folder: Path) -> Package:
    """A package from its folder of ``TvmRuntime.licences``.

    Raises:
        DimmerError: its metadata names no licence, or no text of one is there: it must not be passed on.
    """
    try:
        fields = Parser().parsestr((folder / "METADATA").read_text(encoding="utf-8"), headersonly=True)
    except OSError as error:
        raise DimmerError(f"{folder} has no METADATA ({error.strerror}): remove {folder.parent.parent}") from error
    texts = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    texts.remove("METADATA")
    licence = fields["License-Expression"] or fields["License"]
    if not licence or not texts:
        raise DimmerError(f"{fields['Name']} {fields['Version']} comes without a licence: it cannot go into a bundle")
    modules = {"apache-tvm": "tvm/", "apache-tvm-ffi": "tvm_ffi/"}
    return Package(
        name=folder.name,
        version=fields["Version"],
        licence=" ".join(licence.split()),
        home=_home(fields["Home-page"], fields.get_all("Project-URL") or []),
        libraries=tuple(
            name for name, source in LIBRARIES.items() if source.startswith(modules.get(folder.name, "\n"))
        ),
        texts=tuple(texts),
    )


def _home(page: str | None, urls: Sequence[str]) -> str:
    named = dict(url.split(", ", 1) for url in urls if ", " in url)
    return page or named.get("Homepage", "") or next(iter(named.values()), "")


def write_notice(runtime: TvmRuntime, bundle: Path) -> None:
    """Put THIRD_PARTY.md and Dimmer's own licence into a bundle, beside the wheels' texts.

    Raises:
        DimmerError: a package comes without a licence, or Dimmer's own is nowhere.
    """
    packages = [read_package(folder) for folder in sorted(runtime.licences.iterdir())]
    for text in own_texts():
        to = bundle / "licences" / "dimmer" / text.name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(text, to)
    (bundle / NOTICE).write_text(
        "\n".join(_lines(packages, (bundle / "lib" / "dimmer_modes_cuda.so").is_file())) + "\n"
    )


def _lines(packages: Sequence[Package], gpu: bool) -> Iterator[str]:
    yield "# What this bundle carries, and whose it is"
    yield ""
    yield "| what | whose | version | licence | texts |"
    yield "|---|---|---|---|---|"
    yield "| `bin/`, `install.sh`, `dimmer.service`, `tensorrt/` | Dimmer | | Apache-2.0 | `dimmer/` |"
    for package in packages:
        what = ", ".join(f"`lib/{name}`" for name in package.libraries) or "headers that the program was compiled with"
        whose = f"[{package.name}]({package.home})" if package.home else package.name
        texts = ", ".join(f"`{package.name}/{text}`" for text in package.texts)
        yield f"| {what} | {whose} | {package.version} | {package.licence} | {texts} |"
    yield ""
    yield "`lib/dimmer_modes*`, `weights.bin`, `onnx/` and `src/` were made from your model and belong to you: the"
    yield "authors of Dimmer claim no right in them. The images of `selftest/` are under the terms of their data set."
    yield "Start-up code that the compiler links into `bin/dimmer-run` is under its own exception for that (GCC Runtime"
    yield "Library Exception); the C library is the board's."
    if gpu:
        yield ""
        yield "`lib/dimmer_modes.cubin` was compiled by NVIDIA's run-time compiler; nothing of the compiler is here."
    yield ""
    yield "Paths of texts are relative to this file. It was made from the packages' own metadata."
