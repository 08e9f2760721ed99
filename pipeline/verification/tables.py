# SPDX-License-Identifier: Apache-2.0
"""Verification as a table on the terminal."""

from __future__ import annotations

from dimmer.pipeline.artifacts.verification import Outcome, Verified
from dimmer.pipeline.core.command import console


def print_verified(verified: Verified) -> None:
    """Mismatches of every mode, of switches and of gates, and the accuracies on the test images."""
    from rich.table import Table

    table = Table(title=f"Mismatches against the TFLite interpreter (BUILTIN_REF), {verified.backend}")
    for heading in ("mode", "host", verified.target, "test accuracy, int8", "float"):
        table.add_column(heading, justify="left" if heading == "mode" else "right")
    for mode in verified.modes:
        table.add_row(
            mode.name, _text(mode.host), _text(mode.target), f"{mode.accuracy:.2%}", f"{mode.accuracy_float:.2%}"
        )
    switches = verified.switches
    if switches.host is not None and switches.target is not None:
        table.add_row("switches within an inference", _text(switches.host), _text(switches.target), "", "")
    if gates := verified.gates:
        cells = [f"{gates.mismatches[name]} of {gates.samples}" for name in ("host", verified.target)]
        table.add_row("gated", *cells, "", "")
        for line in gates.budgets:
            text = f"gated, budget {line.budget:g}, cost {line.cost:.3f}"
            table.add_row(text, "", "", f"{line.accuracy:.2%}", "")
    console().print(table)


def _text(outcome: Outcome) -> str:
    return f"{outcome.mismatches} of {outcome.samples}"
