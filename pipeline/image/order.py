# SPDX-License-Identifier: Apache-2.0
"""What to make a firmware of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.names import check_name
from dimmer.firmware_gen.emit.policy import PolicyConfig, even_policy
from dimmer.firmware_gen.gates import GateSet
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.quantised import Quantised
from dimmer.pipeline.oracle.sample_inputs import sample_inputs

SAMPLES = 200
"""Inputs of a mode that are compared with the interpreter, where a target does not want fewer."""


@dataclass(frozen=True)
class Order:
    """What to make a firmware of.

    Attributes:
        name: of the model.
        modes: the most expensive first.
        policy: tiers name modes by their place in `modes`.
        known_input: one input, in the model's input type, for the self-test.
        samples: inputs per mode to compare with the interpreter, half of them edge cases; 0 leaves that to
            `pipeline.verify`.
        gates: that choose blocks of these modes.
        accuracy: mode -> share of the validation images classified right, 0..1; empty where nobody measured it.
        classes: what the elements of the output stand for; empty where nobody knows.
        meaning: of input and output.
        given: inputs of somebody's data that are compared besides, one after the other.
        quantised: what was found where the file was a float network; None of others.
    """

    name: str
    modes: tuple[ModeSource, ...]
    policy: PolicyConfig
    known_input: bytes
    samples: int = 0
    gates: GateSet | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    meaning: Meaning = NOTHING
    given: bytes = b""
    quantised: Quantised | None = None


def name_of_files(files: Sequence[Path]) -> str:
    """What `.tflite` files are called that nobody gave a name: as the first of them."""
    # "...tflite" is called "..", which as a folder would lie outside the build's.
    return files[0].stem if files[0].stem.strip(".") else "model"


def foreign_order(files: Sequence[Path], samples: int = SAMPLES, name: str | None = None) -> Order:
    """An order for `.tflite` files from anywhere, one mode each, that can be switched between inferences.

    Args:
        name: of the model; that of the first file where none is given.

    Raises:
        FirmwareGenError: the name cannot be that of a model in C.
    """
    called = name_of_files(files) if name is None else check_name(name)
    modes = tuple(ModeSource(path.stem, path) for path in files)
    first = sample_inputs(files[0], 1)
    return Order(called, modes, even_policy(len(modes)), first[len(first) // 2 :], samples)


def converted_order(name: str, folder: Path, gates: GateSet | None, known_input: bytes | None = None) -> Order:
    """An order for all modes that the conversion of a recipe's model left in a folder, without a policy.

    Args:
        known_input: for the self-test; a random one where none is given.

    Raises:
        DimmerError: the model was not converted.
    """
    if not folder.is_dir():
        raise DimmerError(f"{name} is not converted; run: python -m pipeline.build --model {name} --target host")
    modes = tuple(mode_sources(folder))
    if known_input is None:
        both = sample_inputs(modes[0].path, 1)
        known_input = both[len(both) // 2 :]
    return Order(name, modes, PolicyConfig(), known_input, gates=gates)
