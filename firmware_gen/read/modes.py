# SPDX-License-Identifier: Apache-2.0
"""A set of modes, each a file, read and checked against one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.micro import Reference, as_micro
from dimmer.firmware_gen.graph.passes import Network, check_boundaries, prepare, with_common_codes
from dimmer.firmware_gen.graph.slices import resolve_slices
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.read.tflite import read_tflite


@dataclass(frozen=True, slots=True)
class ModeSource:
    """One mode as a file.

    Attributes:
        name: such as "88.80.80".
        path: of its `.tflite`.
        boundaries: name of the tensor after each position but the last, repeated where a position is skipped; () for
            one position.
        reference: whose results it gives.
    """

    name: str
    path: Path
    boundaries: tuple[str, ...] = ()
    reference: Reference = Reference.LITERT


def _graph(mode: ModeSource) -> Graph:
    graph = read_tflite(mode.path)
    return as_micro(graph) if mode.reference is Reference.TFLM else graph


def read_modes(modes: Sequence[ModeSource]) -> tuple[Network, ...]:
    """Reads every mode and checks that they can meet at every boundary.

    Raises:
        FirmwareGenError: as the steps raise it.
    """
    if not modes:
        raise FirmwareGenError("no mode was given; name at least one .tflite file")
    first: dict[str, ModeSource] = {}
    for mode in modes:
        other = first.setdefault(mode.name, mode)
        if other is not mode and other.path == mode.path:
            raise FirmwareGenError(f"{mode.path} is given twice; name each file once")
        if other is not mode:
            raise FirmwareGenError(
                f"{other.path} and {mode.path} are both called mode {mode.name}; rename one of the files"
            )
    graphs = resolve_slices([_graph(mode) for mode in modes])
    kept = [graph.source for graph in graphs if graph.states]
    if kept and len(modes) > 1:
        raise FirmwareGenError(f"{kept[0]}: it keeps state and is one of {len(modes)} modes; give it as one mode alone")
    networks = tuple(prepare(graph, mode.boundaries) for graph, mode in zip(graphs, modes, strict=True))
    check_boundaries(networks)
    return with_common_codes(networks)
