# SPDX-License-Identifier: Apache-2.0
"""Packages that the tests of `pipeline/bundles/packaging/` look at and build."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.library import sources
from dimmer.pipeline.bundles.packaging.formats import ALL_CORES
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.source import PackageOrder, make_package
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.modes import MODES, write_modes
from tests.firmware_gen.networks import tiny_resnet

CLASSES = ("one", "two", "three", "four", "five", "six")

BOARD_MAIN = """\
// SPDX-License-Identifier: Apache-2.0
// 0 where every mode gives its known answer, 1 where one does not.
#include <string.h>

#include "{symbol}.h"
#include "{symbol}_io.h"
#include "{symbol}_known_answers.h"

#include "dimmer.h"

namespace {{
alignas(DIMMER_ARENA_ALIGN) uint8_t arena[{macro}_ARENA_SIZE];
dimmer_t network;
}}

int main() {{
    if (dimmer_init(&network, &{symbol}, arena, sizeof arena) != DIMMER_OK) {{
        return 1;
    }}
    for (dimmer_mode_id_t mode = 0; mode < {macro}_MODE_COUNT; ++mode) {{
        if (dimmer_set_mode(&network, mode) != DIMMER_OK) {{
            return 1;
        }}
        memcpy(dimmer_input(&network), {symbol}_known_input, {macro}_INPUT_SIZE);
        if (dimmer_invoke(&network) != DIMMER_OK ||
            memcmp(dimmer_output(&network), {symbol}_known_outputs[mode], {macro}_OUTPUT_SIZE) != 0) {{
            return 1;
        }}
    }}
    return 0;
}}
"""


def modes_order(folder: Path) -> Order:
    """Three modes of a small network, with a policy."""
    modes = write_modes(folder)
    both = sample_inputs(modes[0].path, 1)
    return Order("blocks", modes, even_policy(len(MODES)), both[len(both) // 2 :])


def modes_package(folder: Path, cores: Sequence[str] = ALL_CORES) -> Package:
    """The same as a package for these cores."""
    return make_package(PackageOrder(modes_order(folder), kinds_of(cores), classes=CLASSES, encoding="code = pixel"))


def of_cores(package: Package, cores: Sequence[str]) -> Package:
    """The package as one that was made for these cores tells itself: manifests look at nothing else of them."""
    kinds = kinds_of(cores)
    return replace(package, cores=tuple(core for core in package.cores if core.kind in kinds))


def resnet_package(folder: Path, cores: Sequence[str] = ALL_CORES) -> Package:
    """A small ResNet of one mode, from a `.tflite` alone."""
    path = folder / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    return make_package(PackageOrder(foreign_order([path]), kinds_of(cores)))


def spread(files: Mapping[str, str], folder: Path) -> Path:
    """Writes files into a folder, which it gives back."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


def needed(package: Package) -> list[Path]:
    """The library's C files that a package's model needs: of the kernels only those that it names.

    They are the package's own, which `test_source.py` looks at, where the library has them.
    """
    return sources(sorted(set(re.findall(r"\bdimmer_\w+", "".join(package.model.values())))))


def wrong_answer(package: Package) -> Package:
    """The package with another first number in its first known answer."""
    path = f"src/{package.symbol}_known_answers.c"
    head, mark, rest = package.model[path].partition(f"{package.symbol}_known_outputs[")
    before, brace, numbers = rest.partition("    {\n        ")
    first, comma, more = numbers.partition(",")
    other = str(int(first) + (1 if int(first) < 127 else -1))
    return replace(package, model={**package.model, path: head + mark + before + brace + other + comma + more})
