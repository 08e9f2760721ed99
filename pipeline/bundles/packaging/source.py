# SPDX-License-Identifier: Apache-2.0
"""The one list of files: the runtime's and the model's as a package holds them.

Everything that is compiled lies in `src/`, its public headers directly: `-I src` is all that a compiler needs, which is
what Arduino gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.header import state_guard
from dimmer.firmware_gen.emit.meaning import OutputMeaning
from dimmer.firmware_gen.emit.names import check_name
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.graph.types import Part, Tensor
from dimmer.firmware_gen.kernels.code import code_bytes
from dimmer.firmware_gen.library import RUNTIME
from dimmer.firmware_gen.several import SeveralCores, Wanted, generate_for_cores
from dimmer.firmware_gen.variants.cores import Kind
from dimmer.pipeline.bundles.packaging.input_output import io_header
from dimmer.pipeline.bundles.packaging.package import (
    DEFAULT_VERSION,
    CoreFigures,
    End,
    Package,
    Publisher,
    check_version,
    plain,
)
from dimmer.pipeline.core.licences import own_texts
from dimmer.pipeline.data.scale import RowCodes
from dimmer.pipeline.image.compiled import known_answers
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import policy_for
from dimmer.pipeline.recipe.front_end import surroundings
from dimmer.pipeline.recipe.sections.features import FeaturesSection
from dimmer.targets import load_target

LABELS = "labels.txt"

MEASURED = {
    "cortex-m55": "mps3-an547",
    "cortex-m4": "mps2-an386",
    "cortex-m3": "mps2-an385",
    "cortex-m0plus": "mps2-an385-v6m",
    "rv32imc": "riscv-virt",
    "portable": "riscv-virt",
}
"""Kind of core -> the emulated target whose limit of scratch it gets."""

_MODEL_NOTICE = """\
{symbol}: what it is made of

src/{symbol}.c, .h and src/{symbol}_*: written by Dimmer's generator from the model {title}. The authors of Dimmer claim
no right in them; weights in them, and the input and outputs of the known answers, stay under the terms of the model and
of the data that they come from. LICENSE does not cover them: their terms are yours to name here.

All else in src/: the Dimmer runtime, Apache-2.0 (LICENSE).

"""


@dataclass(frozen=True)
class PackageOrder:
    """What to make a package of.

    Attributes:
        model: its modes, policy, gates and known input.
        kinds: of cores that it is to run on.
        name: of the model in C, as somebody chose it; the model's own where None.
        classes: of the output's elements.
        features: what makes the input, and what a stream of outputs comes to; a front end adds its C.
        rows: what the input's codes stand for, where the network was trained on the front end's rows.
        encoding: how what the application has becomes the input, in a sentence.
        scratch_limit: bytes, instead of those of the kinds' targets.
    """

    model: Order
    kinds: tuple[Kind, ...]
    name: str | None = None
    classes: tuple[str, ...] = ()
    encoding: str = ""
    features: FeaturesSection = field(default_factory=FeaturesSection)
    rows: RowCodes | None = None
    scratch_limit: int | None = None
    model_version: str = DEFAULT_VERSION
    publisher: Publisher = field(default_factory=Publisher)


def make_package(order: PackageOrder) -> Package:
    """Generates the model for every kind of core that is wanted.

    Raises:
        FirmwareGenError, DimmerError: the modes' files, or a name, version or address that build systems refuse.
    """
    check_version(order.model_version)
    order.publisher.check()
    model = order.model
    name = model.name if order.name is None else check_name(order.name)
    policy = policy_for(model.policy, len(model.modes), model.gates is not None)
    wanted = Wanted(name, model.modes, policy, known_answers(model), model.gates, order.classes, model.meaning)
    made = generate_for_cores(wanted, order.kinds, {kind: _limit(kind, order.scratch_limit) for kind in order.kinds})
    tables = made.cores[0][1].tables
    inputs, outputs = _ends(tables.input, tables.inputs), _ends(tables.output, tables.outputs)
    told = {one.name: _elements(one) for one in model.meaning.outputs}
    outputs = tuple(replace(end, elements=told.get(end.name, ())) for end in outputs)
    files = {f"src/{file}": text for file, text in made.texts.items()}
    files[f"src/{made.names.symbol}_io.h"] = io_header(made.names, inputs, outputs)
    if order.features.wanted:
        around = surroundings(order.features, tables.input, tables.output, order.rows)
        files |= {f"src/{file}": text for file, text in around.files(name).items()}
    notices = {path.name: path.read_text(encoding="utf-8") for path in own_texts()}
    notices["NOTICE"] = _MODEL_NOTICE.format(symbol=made.names.symbol, title=plain(name)) + notices["NOTICE"]
    if order.classes:
        notices[LABELS] = "".join(f"{label}\n" for label in order.classes)
    return Package(
        title=plain(name),
        symbol=made.names.symbol,
        model_version=order.model_version,
        modes=tuple(map(plain, tables.mode_names)),
        inputs=inputs,
        outputs=outputs,
        encoding=order.encoding,
        classes=order.classes,
        cores=_figures(made, model.gates is not None),
        runtime=runtime_files(),
        model=files,
        notices=notices,
        publisher=order.publisher,
        state=bool(state_guard(tables)),
    )


def runtime_files() -> dict[str, str]:
    """Path in a package -> text of every file of the C library: all kernels, so that packages can share one library.

    Unused kernels are left to the linker.
    """
    places = {"include": "src", "src": "src/runtime", "kernels": "src/kernels", "features": "src/features"}
    found = {}
    for folder, place in places.items():
        for path in sorted((RUNTIME / folder).rglob("*.[ch]")):
            found[f"{place}/{path.relative_to(RUNTIME / folder).as_posix()}"] = path.read_text(encoding="utf-8")
    return found


def read_labels(path: Path) -> tuple[str, ...]:
    """Names of classes, a line each.

    Raises:
        DimmerError: the file cannot be read, or has an empty line between names.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DimmerError(f"--labels {path} cannot be read ({error}): give a text file with a name a line") from error
    while lines and not lines[-1].strip():
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise DimmerError(f"--labels {path}, line {number} is empty: write a name a line, in the output's order")
    if not lines:
        raise DimmerError(f"--labels {path} is empty: write a name a line, in the output's order")
    return tuple(line.strip() for line in lines)


def _limit(kind: Kind, given: int | None) -> int | None:
    return load_target(MEASURED[kind.core]).scratch_limit if given is None else given


def _ends(only: Tensor, parts: Sequence[Part]) -> tuple[End, ...]:
    """The inputs or outputs: the only one, or the parts of the buffer that holds several."""
    return tuple(_end(part.tensor, plain(part.tensor.name)) for part in parts) or (_end(only, ""),)


def _elements(output: OutputMeaning) -> tuple[str, ...]:
    """What the elements of one of several outputs stand for, values with their units."""
    units = output.units or ("",) * len(output.classes)
    return tuple(
        f"{plain(one)} in {plain(unit)}" if unit else plain(one)
        for one, unit in zip(output.classes, units, strict=True)
    )


def _end(tensor: Tensor, name: str) -> End:
    if tensor.quantisation is None:
        return End(tensor.dtype.value, tensor.shape, None, None, name)
    return End(tensor.dtype.value, tensor.shape, float(tensor.q.scale), tensor.q.zero_point, name)


def _figures(made: SeveralCores, gated: bool) -> tuple[CoreFigures, ...]:
    return tuple(
        CoreFigures(
            kind,
            len(core.tables.pool.table("weights")),
            _table_bytes(core.tables),
            code_bytes([record.kernel.name for record in core.tables.records], gated),
            core.tables.memory.arena,
        )
        for kind, core in made.cores
    )


def _table_bytes(tables: Tables) -> int:
    """Of parameters, shifts, records, steps, blocks and schedules."""
    return sum(len(tables.pool.table(name)) for name in ("params", "shifts")) + tables.schedule_bytes


def kinds_text(kinds: Sequence[Kind]) -> str:
    """In words."""
    return ", ".join(kind.what for kind in kinds)
