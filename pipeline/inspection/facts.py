# SPDX-License-Identifier: Apache-2.0
"""What `dimmer inspect` tells, as types; `--json` prints them with these names."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.stage import Json


@dataclass(frozen=True)
class TensorFacts:
    """A tensor of a `.tflite`.

    Attributes:
        type: as TFLite calls it, in lower case.
        quantisation: "per tensor", "per channel" or "none".
        scale, zero_point: of one that is quantised per tensor.
        constant: whether its values are in the file.
        bytes: of its values in the file; 0 where it is computed.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    quantisation: str
    scale: float | None
    zero_point: int | None
    constant: bool
    bytes: int


@dataclass(frozen=True)
class OperatorFacts:
    """An operator of a `.tflite`.

    Attributes:
        index: its place in the file.
        output: name of its first output.
        inputs, outputs: indexes of tensors; -1 is an optional one that is left out.
        type: of its first output.
        quantisation: of its weights, or else of its output.
        macs: multiply-accumulates, 0 of operators that have none.
        parameter_bytes: of its constants.
        kernels: C functions that run it on the target; none where no firmware can be made, where it moves no bytes, or
            where its work is done by a neighbour's kernel.
        refusals: why a firmware cannot hold it.
    """

    index: int
    kind: str
    output: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    type: str
    quantisation: str
    macs: int
    parameter_bytes: int
    kernels: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True)
class AliasFacts:
    """A tensor that nothing copies, since it lies within another one's buffer: a slice, or a part of a concatenation.

    Attributes:
        offset: bytes into the arena.
        bytes: that it has there.
    """

    mode: str
    tensor: str
    within: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What a firmware of one mode or of several takes on a target, in bytes, without its code and stack.

    Attributes:
        arena: as planned, scratch included.
        lower_bound: the most that is alive in one step; no plan is smaller.
        arena_without_scratch: what the tensors alone need.
        weights, parameters, tables: flash of the weights; of biases, multipliers and shifts; of records and schedules.
        ram, flash: what the target has; None where an operating system has it.
        weights_flash: what of its flash is for weights alone; None where these lie among the rest.
        aliases: slices and parts that no copy is made of.
    """

    target: str
    modes: tuple[str, ...]
    arena: int
    lower_bound: int
    arena_without_scratch: int
    weights: int
    parameters: int
    tables: int
    ram: int | None
    flash: int | None
    aliases: tuple[AliasFacts, ...] = ()
    weights_flash: int | None = None

    @property
    def flash_needed(self) -> int:
        """Of the model, code apart."""
        return self.weights + self.parameters + self.tables


@dataclass(frozen=True)
class ModelFacts:
    """A `.tflite` file.

    Attributes:
        bytes: of the file.
        inputs, outputs: indexes of tensors.
        macs, parameter_bytes: of all operators; a constant that several read counts once.
        refusals: of the file as a whole; those of operators stand with them.
        plan: None where a firmware cannot be made.
    """

    file: str
    bytes: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int
    parameter_bytes: int
    operators: tuple[OperatorFacts, ...]
    tensors: tuple[TensorFacts, ...]
    refusals: tuple[str, ...]
    plan: Plan | None

    @property
    def all_refusals(self) -> tuple[str, ...]:
        """The file's and its operators'."""
        return (*self.refusals, *(text for operator in self.operators for text in operator.refusals))


@dataclass(frozen=True)
class ModesFacts:
    """Several files as modes of one network.

    Attributes:
        plan: None where they do not fit together.
        refusals: why they do not.
    """

    plan: Plan | None
    refusals: tuple[str, ...]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a checkpoint."""

    name: str
    type: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class CheckpointFacts:
    """A `.safetensors` file.

    Attributes:
        bytes: of the file.
        values: number of all tensors' elements.
        record: what Dimmer wrote about it, or else the file's own notes.
    """

    file: str
    bytes: int
    values: int
    record: Json
    tensors: tuple[StoredTensor, ...]


@dataclass(frozen=True)
class FileFacts:
    """An image, a generated header, a bundle or a bill of materials.

    Attributes:
        kind: what it is, in a word or two.
        bytes: of the file, or of all files of a bundle.
        facts: what is known of it, as name and text.
        problems: what is wrong with it, each with what to do; none where it is whole.
    """

    file: str
    kind: str
    bytes: int
    facts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """All that was asked for.

    Attributes:
        together: the models as modes of one network; None of a single one.
        others: files that are neither models nor checkpoints.
    """

    models: tuple[ModelFacts, ...]
    together: ModesFacts | None
    checkpoints: tuple[CheckpointFacts, ...]
    others: tuple[FileFacts, ...] = ()
