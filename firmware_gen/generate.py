# SPDX-License-Identifier: Apache-2.0
"""The whole generator: a set of modes in, the generated C and everything that a report says about it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer.firmware_gen.emit import header
from dimmer.firmware_gen.emit import known_answers as known_answers_c
from dimmer.firmware_gen.emit import source as emit
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.names import ANSWERS_HEADER, MODEL_HEADER, names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables, build_tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.gates import GateSet
from dimmer.firmware_gen.memory.arena import Memory, PlannedBuffer, plan_memory
from dimmer.firmware_gen.memory.share import Constant, share_blocks
from dimmer.firmware_gen.memory.weights import compare_weights
from dimmer.firmware_gen.read.modes import ModeSource, read_modes
from dimmer.firmware_gen.variants import VARIANTS, Choice, choose, features_of
from dimmer.firmware_gen.variants.latency import FITTED, Latency


@dataclass(frozen=True, slots=True)
class GeneratedStep:
    """One entry of the C table of steps.

    Attributes:
        layer: name of the tensor that it computes.
        kernel: the C function.
        macs: multiply-accumulate operations.
    """

    layer: str
    kernel: str
    macs: int


@dataclass(frozen=True, slots=True)
class GeneratedModel:
    """What was generated.

    Attributes:
        symbol: the C name of the model.
        files: the C sources and headers, in the order in which they were written.
        modes: names, mode 0 first.
        positions: number of positions of every mode.
        macs: of each mode.
        constants: every run of constants in flash with its layer, bytes and modes.
        table_bytes: flash of records, steps, blocks and schedules.
        memory: the arena.
        input_bytes: of the model's input.
        output_bytes: of the model's output.
        steps: in the order of the C table.
        choices: the kernel of each layer that has more than one, with what was refused.
        state_bytes: of the arena that last from one inference to the next.
    """

    symbol: str
    files: tuple[Path, ...]
    modes: tuple[str, ...]
    positions: int
    macs: tuple[int, ...]
    constants: tuple[Constant, ...]
    table_bytes: int
    memory: Memory
    input_bytes: int
    output_bytes: int
    steps: tuple[GeneratedStep, ...]
    choices: tuple[Choice, ...]
    state_bytes: int = 0

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files to compile."""
        return tuple(path for path in self.files if path.suffix == ".c")

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels that the model needs: `<name>.c` each."""
        return tuple(dict.fromkeys(step.kernel for step in self.steps))

    @property
    def arena(self) -> int:
        """Bytes of the arena, scratch included."""
        return self.memory.arena

    @property
    def lower_bound(self) -> int:
        """Bytes that are live at once in the worst step."""
        return self.memory.lower_bound

    @property
    def buffers(self) -> tuple[PlannedBuffer, ...]:
        """Every buffer of every mode."""
        return self.memory.buffers

    @property
    def weight_bytes(self) -> int:
        """Flash of the weights."""
        return sum(constant.size for constant in self.constants if constant.table == "weights")

    @property
    def parameter_bytes(self) -> int:
        """Flash of biases, multipliers and shifts."""
        return sum(constant.size for constant in self.constants if constant.table != "weights")


def tables_of(
    modes: Sequence[ModeSource],
    policy: PolicyConfig,
    gates: GateSet | None = None,
    scratch_limit: int | None = None,
    core: str = "",
    latency: Latency = FITTED,
) -> Tables:
    """Everything but the text; arguments as in `generate`."""
    return plan_of(modes, policy, gates, scratch_limit, core, latency=latency)[0]


def plan_of(
    modes: Sequence[ModeSource],
    policy: PolicyConfig,
    gates: GateSet | None,
    scratch_limit: int | None,
    core: str,
    order: Sequence[Constant] = (),
    name: str = "model",
    latency: Latency = FITTED,
) -> tuple[Tables, tuple[Choice, ...]]:
    """As `tables_of`, with the kernels that each layer could choose from; `order` as of `build_tables`,
    `name` of the model.
    """
    networks = read_modes(modes)
    compare_weights([network.graph for network in networks])
    try:
        blocks, choices = choose(share_blocks(networks), VARIANTS, features_of(core), scratch_limit, latency)
    except FirmwareGenError as error:
        source = f"{modes[0].path.name}: "
        raise FirmwareGenError(f"{source}{str(error).removeprefix(source)}") from error
    memory = plan_memory(blocks)
    first = networks[0].graph
    tables = build_tables(
        memory,
        [mode.name for mode in modes],
        first.tensors[first.input],
        first.tensors[first.output],
        policy,
        gates,
        [first.tensors[index] for index in networks[0].boundaries],
        order,
    )
    return replace(tables, inputs=first.inputs, outputs=first.outputs, title=name), choices


def generate(
    modes: Sequence[ModeSource],
    out_dir: Path,
    policy: PolicyConfig | None = None,
    known_answers: KnownAnswers | None = None,
    scratch_limit: int | None = None,
    name: str = "model",
    gates: GateSet | None = None,
    core: str = "",
    classes: Sequence[str] = (),
    latency: Latency = FITTED,
    meaning: Meaning = header.NOTHING,
) -> GeneratedModel:
    """Writes `dimmer_<model>.c/.h` and, where known answers are given, `dimmer_<model>_known_answers.c/.h`.

    Beside them lie `dimmer_model.h` and `dimmer_known_answers.h`, in which the same things have general names.

    Args:
        modes: mode 0, the most expensive one, first.
        scratch_limit: bytes that no step's scratch buffer may exceed, but for what of the arena is idle in that step.
        name: of the model; every symbol carries it.
        gates: that choose blocks of these modes.
        core: as the compiler calls it; decides which variants of kernels there are.
        classes: what the elements of the output stand for; empty where nobody knows.
        latency: of the core; decides between these variants.
        meaning: of input and output.

    Raises:
        FirmwareGenError: a file cannot be read or run, the modes do not fit together, or a limit is exceeded.
    """
    chosen = policy or PolicyConfig()
    tables, choices = plan_of(modes, chosen, gates, scratch_limit, core, name=name, latency=latency)
    memory = tables.memory
    names = names_of(name)
    texts = {
        names.header: header.emit_header(tables, names, classes, meaning=meaning),
        names.source: emit.emit_source(tables, names, core),
        MODEL_HEADER: header.emit_general_header(tables, names, classes, meaning),
    }
    if known_answers is not None:
        texts[names.answers_header] = known_answers_c.emit_known_answers_header(names)
        texts[names.answers_source] = known_answers_c.emit_known_answers(tables, names, known_answers)
        texts[ANSWERS_HEADER] = known_answers_c.emit_general_answers_header(names)
    out_dir.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_atomically(out_dir / file, text)
    return GeneratedModel(
        names.symbol,
        tuple(out_dir / file for file in texts),
        tables.mode_names,
        len(tables.schedules[0]),
        tables.mode_macs,
        tables.pool.constants,
        tables.schedule_bytes,
        memory,
        tables.input.size,
        tables.output.size,
        tuple(GeneratedStep(s.layer, tables.records[s.kernel].kernel.name, s.macs) for s in tables.steps),
        choices,
        header.state_of(tables)[0],
    )
