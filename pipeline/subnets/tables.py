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
    for m in sorted(calibration.contents["modes"], key=lambda m: -m["bit_operations"]):
        again = f"{m['accuracy_float']:.2%}" if m["recalibrated"] else "-"
        verdict = ("published: " if m["published"] else "dropped: ") + m["reason"]
        table.add_row(
            m["name"],
            f"{m['macs'] / 1e6:.2f}",
            f"{m['bit_operations'] / 1e9:.3f}",
            f"{m['accuracy_as_trained']:.2%}",
            again,
            f"{m['accuracy']:.2%}",
            verdict,
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
        for site, entry in calibration.mode(name)["sites"].items():
            rows.setdefault((site, entry["group"]), {})[name] = entry["sqnr_db"]
    for (site, group), by_mode in rows.items():
        g = calibration.contents["groups"][group]
        cells = [f"{by_mode[n]:.1f}" if n in by_mode else "" for n in names]
        shared = group.partition("@")[2] or (group if group != site else "")
        table.add_row(site, shared, f"{g['low']:.3f}", f"{g['high']:.3f}", g["method"], *cells)
    terminal.print(table)
