# SPDX-License-Identifier: Apache-2.0
"""Steps of small graphs."""

from __future__ import annotations

from dimmer.firmware_gen.graph.passes import prepare
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.memory.share import build_block
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.tflite_builder import Layers


def lowered(net: Layers, source: int, output: int) -> tuple[Step, ...]:
    """All steps of a graph."""
    return steps_of(net.build(source, output))


def steps_of(data: bytes) -> tuple[Step, ...]:
    """All steps of a file, in one position."""
    return build_block(prepare(parse_tflite(data, "net.tflite")), 0).steps


def read(net: Layers, source: int, output: int) -> Graph:
    """A graph as its file has it."""
    return parse_tflite(net.build(source, output), "net.tflite")


def only(net: Layers, source: int, output: int) -> Step:
    """The step of a graph that has one."""
    (step,) = lowered(net, source, output)
    return step


def values(step: Step, *names: str) -> tuple[object, ...]:
    """Fields of its record."""
    return tuple(step.fields[name] for name in names)
