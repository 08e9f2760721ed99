# SPDX-License-Identifier: Apache-2.0
"""Modes generated and compiled for a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE, entry_points, sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.image.fit import DoesNotFitError, check_fit, explain
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import policy_for
from dimmer.pipeline.image.stack import Proven, prove
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
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
    gates = order.gates if len(modes) == len(order.modes) else None
    wanted = replace(order, modes=tuple(modes), gates=gates)
    found = check_fit(wanted, target)
    outputs = []
    for mode, answer in zip(modes, run_oracle([OracleJob(m.path, order.known_input) for m in modes]), strict=True):
        if isinstance(answer, OracleFailure):
            raise DimmerError(
                f"{mode.path.name}: the stock TFLite interpreter cannot run it ({answer.reason}); convert it again"
            )
        outputs.append(answer)
    known = KnownAnswers(order.known_input, tuple(outputs))
    policy = policy_for(order.policy, len(modes), gates is not None)
    model = generate(modes, out, policy, known, target.scratch_limit, order.name, gates, target.core)
    try:
        elf = target.compile(
            [*model.sources, *sources(model.kernels), *APPLICATION],
            [out, INCLUDE],
            out,
            entries=entry_points() if prove_stack and target.memory is not None else (),
        )
    except OverflowedError as error:
        if target.memory is None:
            raise
        raise DoesNotFitError(explain(wanted, target, found, error.regions)) from error
    stack = None
    if prove_stack:
        stack = prove(target, out, model.symbol)
        (out / ENTRIES).unlink(missing_ok=True)
    return Compiled(model, elf, target.size(elf), stack)
