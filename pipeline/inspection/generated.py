# SPDX-License-Identifier: Apache-2.0
"""The header that the generator writes for a model: what a program that includes it gets."""

from __future__ import annotations

import re
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.inspection.facts import FileFacts

_MODE = re.compile(r"^ +DIMMER_\w+_MODE_\w+ = (\d+),? /\* (\S+), (\d+) MACs \*/$", re.MULTILINE)
_MODEL = re.compile(r"^extern const dimmer_model_t (\w+);$", re.MULTILINE)
_ABI = re.compile(r"^#if DIMMER_ABI != (\d+)$", re.MULTILINE)
_SIZE = re.compile(
    r"^#define DIMMER_\w+_(ARENA|INPUT|OUTPUT)_SIZE (\d+)u(?: /\* bytes(?:[:,] ([^*]+?))? \*/)?$", re.MULTILINE
)


def inspect_header(path: Path) -> FileFacts:
    """Model, ABI, sizes and modes of a generated header.

    Raises:
        DimmerError: it cannot be read, or no generator wrote it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DimmerError(f"{path} cannot be read ({error}); check the path") from error
    model, abi = _MODEL.search(text), _ABI.search(text)
    if model is None or abi is None:
        raise DimmerError(f"{path} is no model's header: name the dimmer_<model>.h that a build wrote")
    facts = [("model", model[1]), ("ABI", abi[1])]
    facts += [
        (name.lower(), f"{int(size):,} bytes{f': {what}' if what else ''}") for name, size, what in _SIZE.findall(text)
    ]
    modes = _MODE.findall(text)
    facts += [(f"mode {number}", f"{name}, {int(macs):,} MACs") for number, name, macs in modes]
    problems = []
    if int(abi[1]) != ABI:
        problems.append(f"it is of ABI {abi[1]}, this Dimmer's runtime has {ABI}: generate it again")
    if [int(number) for number, _, _ in modes] != list(range(len(modes))) or not modes:
        problems.append("its modes are not numbered from 0: generate it again")
    return FileFacts(str(path), "generated header", path.stat().st_size, tuple(facts), tuple(problems))
