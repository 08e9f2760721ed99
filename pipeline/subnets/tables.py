# SPDX-License-Identifier: Apache-2.0
"""Calibration as tables on the terminal."""

from __future__ import annotations

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.core.command import console


def print_tables(calibration: Calibration) -> None:
    """The modes, the ranges and the error at every tensor, as tables on the terminal."""
    from rich.table import Table

    terminal = console()
    table = Table(title="Modes on the validation images, int8 simulated")
    for heading in ("mode", "MMACs", "Gbitops", "float, as trained", "recalibrated", "int8", "verdict"):
        table.add_column(heading, justify="left" if heading in ("mode", "verdict") else "right")
    for mode in sorted(calibration.modes, key=lambda mode: -mode.bit_operations):
        table.add_row(
            mode.name,
            f"{mode.macs / 1e6:.2f}",
            f"{mode.bit_operations / 1e9:.3f}",
            f"{mode.accuracy_as_trained:.2%}",
            f"{mode.accuracy_float:.2%}" if mode.recalibrated else "-",
            f"{mode.accuracy:.2%}",
            ("published: " if mode.published else "dropped: ") + mode.reason,
        )
    terminal.print(table)
    names = calibration.published
    table = Table(title="Ranges; signal to quantisation noise in dB, all errors before the tensor included")
    for heading in ("tensor", "range of", "low", "high", "estimator", *names):
        table.add_column(
            heading, justify="left" if heading in ("tensor", "range of", "estimator") else "right", no_wrap=True
        )
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for name in names:
        for site, figures in calibration.mode(name).sites.items():
            rows.setdefault((site, figures.group), {})[name] = figures.sqnr_db
    for (site, group), by_mode in rows.items():
        chosen = calibration.groups[group]
        cells = [f"{by_mode[n]:.1f}" if n in by_mode else "" for n in names]
        shared = group.partition("@")[2] or (group if group != site else "")
        table.add_row(site, shared, f"{chosen.low:.3f}", f"{chosen.high:.3f}", chosen.method, *cells)
    terminal.print(table)
