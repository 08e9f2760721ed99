"""Count instructions on the emulated board, beside the peers, against the baseline: `./nox -s bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.count import (
    MODELS,
    Baseline,
    Count,
    compiler,
    count,
    grown,
    key,
    models,
    read_baseline,
    write_baseline,
)
from benchmarks.peers import TFLM_CMSIS_NN
from pipeline.command import console, main_of, progress_bar
from pipeline.errors import DimmerError


def main(
    target: Annotated[str, typer.Option("--target", help="A target that counts instructions.")] = "mps2-an386",
    update: Annotated[bool, typer.Option("--update", help="Make the figures the new baseline.")] = False,
) -> None:
    """Count every benchmark model; fail where a figure grew by more than 2 %."""
    from rich.table import Table

    if not models():
        raise DimmerError(f"there are no models in {MODELS}: put MLPerf Tiny's int8 .tflite files there")
    measured: dict[str, Count] = {}
    with progress_bar("bench") as progress:
        for done, model in enumerate(models()):
            progress(model.stem, done / len(models()))
            measured[key(model, target)] = count(model, target)
    table = Table(title=f"One inference on {target}: instructions, not cycles", title_justify="left")
    for heading in ("model", "MACs", "instructions", "per MAC", "TFLM + CMSIS-NN", "ratio", "code", "arena", "stack"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for model in models():
        c, peer = measured[key(model, target)], TFLM_CMSIS_NN.get((model.stem, target))
        beside = (f"{peer.instructions:,}", f"{c.instructions / peer.instructions:.2f}") if peer else ("-", "-")
        own = (f"{c.macs:,}", f"{c.instructions:,}", f"{c.instructions / c.macs:.2f}")
        table.add_row(model.stem, *own, *beside, f"{c.code:,}", f"{c.arena:,}", f"{c.stack:,}")
    terminal = console()
    terminal.print(table)
    here, baseline = compiler(target), read_baseline()
    if update:
        kept = baseline.counts if baseline.compiler == here else {}
        write_baseline(Baseline(here, {**kept, **measured}))
    elif baseline.compiler != here:
        terminal.print(f"not compared with the baseline: it was counted with {baseline.compiler}, here is {here}")
    elif lines := grown(measured, baseline.counts):
        raise DimmerError("; ".join(lines))


if __name__ == "__main__":
    main_of(main)
