# SPDX-License-Identifier: Apache-2.0
"""The generator for several cores: one model whose C any of them compiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.emit import known_answers as known_answers_c
from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.names import Names, names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.several import CoreTables, common_order, emit_header_of_cores, emit_source_of_cores
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.gates import GateSet
from dimmer.firmware_gen.generate import plan_of
from dimmer.firmware_gen.memory.share import Constant
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.variants.cores import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is generated for several cores.

    Attributes:
        name: of the model; every symbol carries it.
        modes: mode 0, the most expensive one, first.
        classes: what the elements of the output stand for; empty where nobody knows.
        meaning: of input and output.
    """

    name: str
    modes: tuple[ModeSource, ...]
    policy: PolicyConfig
    known_answers: KnownAnswers
    gates: GateSet | None = None
    classes: tuple[str, ...] = ()
    meaning: Meaning = NOTHING


@dataclass(frozen=True, slots=True)
class SeveralCores:
    """What was generated.

    Attributes:
        cores: the tables of each kind of core, the most particular first.
        texts: file -> content, of sources and headers.
    """

    names: Names
    cores: tuple[tuple[Kind, CoreTables], ...]
    texts: Mapping[str, str]


def generate_for_cores(wanted: Wanted, kinds: Sequence[Kind], limits: Mapping[Kind, int | None]) -> SeveralCores:
    """The C of a model for cores of these kinds.

    Args:
        kinds: at least one, in any order.
        limits: bytes that no step's scratch buffer may exceed on a kind of core.

    Raises:
        FirmwareGenError: a file cannot be read or run, the modes do not fit together, or a limit is exceeded.
    """
    chosen = [kind for kind in KINDS if kind in kinds]

    def tables(kind: Kind, own: Sequence[Constant]) -> Tables:
        core = kind.core if kind.condition else ""
        return plan_of(wanted.modes, wanted.policy, wanted.gates, limits[kind], core, own, wanted.name)[0]

    pools = [tables(kind, ()).pool.constants for kind in chosen]
    order, made = common_order(pools), []
    for kind, pool in zip(chosen, pools, strict=True):
        keys = {(constant.table, constant.data) for constant in pool}
        own = [constant for constant in order if (constant.table, constant.data) in keys]
        made.append((kind, CoreTables(kind.what, kind.condition, tables(kind, own))))
    cores, names, first = [core for _, core in made], names_of(wanted.name), made[0][1].tables
    texts = {
        names.header: emit_header_of_cores(cores, names, wanted.classes, wanted.meaning),
        names.source: emit_source_of_cores(cores, names),
        names.answers_header: known_answers_c.emit_known_answers_header(names),
        names.answers_source: known_answers_c.emit_known_answers(first, names, wanted.known_answers),
    }
    return SeveralCores(names, tuple(made), texts)
