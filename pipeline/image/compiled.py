# SPDX-License-Identifier: Apache-2.0
"""Modes generated and compiled for a target."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer import children
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE, entry_points, sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.image.fit import DoesNotFitError, check_fit, check_stack, explain
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import policy_for
from dimmer.pipeline.image.stack import Proven, prove
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, failed, run_oracle
from dimmer.targets import APPLICATION, OverflowedError, SectionSizes, Target
from dimmer.targets.kit.toolchain import ENTRIES


@dataclass(frozen=True)
class Compiled:
    """One generated and compiled firmware.

    Attributes:
        stack: None where nobody asked.
    """

    model: GeneratedModel
    elf: Path
    sizes: SectionSizes
    stack: Proven | None = None

    @property
    def flash(self) -> int:
        """Bytes of flash in all."""
        return self.sizes.text + self.sizes.rodata + self.sizes.data


def compile_modes(
    order: Order, modes: Sequence[ModeSource], target: Target, out: Path, prove_stack: bool = False
) -> Compiled:
    """Generates and compiles a firmware of these modes in `out`.

    Raises:
        FirmwareGenError: the modes' files.
        DimmerError: the interpreter cannot run one of them.
        DoesNotFitError: the target's flash or RAM are too small.
        TargetError: the compiler.
    """
    # The top mode alone is measured too, and has nothing to choose from.
    wanted = replace(order, modes=tuple(modes), gates=order.gates if len(modes) == len(order.modes) else None)

    def proven_beyond() -> int | None:
        with children.scratch() as work:
            model = _generated(wanted, target, work)
            with suppress(OverflowedError):
                _linked(model, target, work, prove_stack=True)
            return prove(target, work, model.symbol).figures.proven

    found = check_fit(wanted, target, proven_beyond)
    model = _generated(wanted, target, out)
    try:
        elf = _linked(model, target, out, prove_stack)
    except OverflowedError as error:
        if target.memory is None:
            raise
        proven = prove(target, out, model.symbol).figures.proven if prove_stack else None
        raise DoesNotFitError(explain(wanted, target, found, error.regions, proven)) from error
    stack = None
    if prove_stack:
        stack = prove(target, out, model.symbol)
        (out / ENTRIES).unlink(missing_ok=True)
        if stack.figures.proven is not None:
            check_stack(wanted, target, stack.figures.proven)
    return Compiled(model, elf, target.size(elf), stack)


def known_answers(order: Order) -> KnownAnswers:
    """What the modes of an order make of its known input, as the stock interpreter computes it.

    Raises:
        DimmerError: the interpreter cannot run one of them.
    """
    outputs = []
    jobs = [OracleJob(mode.path, order.known_input, mode.reference) for mode in order.modes]
    for mode, answer in zip(order.modes, run_oracle(jobs), strict=True):
        if isinstance(answer, OracleFailure):
            raise failed(mode.path, mode.reference, answer)
        outputs.append(answer)
    return KnownAnswers(order.known_input, tuple(outputs))


def _generated(order: Order, target: Target, out: Path) -> GeneratedModel:
    """The C of an order's modes, with what they make of its known input."""
    known = known_answers(order)
    policy = policy_for(order.policy, len(order.modes), order.gates is not None)
    return generate(
        order.modes,
        out,
        policy,
        known,
        target.scratch_limit,
        order.name,
        order.gates,
        target.core,
        order.classes,
        target.latency,
        order.meaning,
    )


def _linked(model: GeneratedModel, target: Target, out: Path, prove_stack: bool) -> Path:
    """The firmware, and beside it, where it is wanted, the program of which its stack is proven."""
    entries = entry_points() if prove_stack and target.memory is not None else ()
    return target.compile([*model.sources, *sources(model.kernels), *APPLICATION], [out, INCLUDE], out, entries=entries)
