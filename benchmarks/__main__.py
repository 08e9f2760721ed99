"""Count instructions on the emulated boards, beside the peers, against the baseline: `./nox -s bench`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.count import (
    MODELS,
    Count,
    compiler,
    count,
    grown,
    key,
    models,
    read_baseline,
    targets,
    updated,
    write_baseline,
)
from benchmarks.results import RESULTS, Result, result_of, write_results
from pipeline.command import console, main_of, progress_bar
from pipeline.errors import DimmerError
from pipeline.system import require_tools
from targets import load_target

WORKERS = 2


def main(
    target: Annotated[
        list[str] | None, typer.Option("--target", help="A target that counts instructions; repeat for more. All.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Make the figures the new baseline.")] = False,
) -> None:
    """Count every benchmark model on every core; fail where a figure grew by more than 2 %.

    A run over all cores leaves benchmarks/results.json and instructions.svg.
    """
    if not models():
        raise DimmerError(f"there are no models in {MODELS}: put MLPerf Tiny's int8 .tflite files there")
    chosen = tuple(dict.fromkeys(target or targets()))
    for name in chosen:
        if not load_target(name).counts_instructions:
            raise DimmerError(f"{name} has no instruction counter: name some of {', '.join(targets())}")
    require_tools({tool: package for name in chosen for tool, package in load_target(name).tools.items()})
    measured = _count_all(chosen)
    results = [result_of(model.stem, name, measured[key(model, name)]) for model in models() for name in chosen]
    _print(results)
    compilers = dict(compiler(name) for name in chosen)
    if set(chosen) == set(targets()):
        write_results(results, compilers)
        console().print(f"{RESULTS}", highlight=False, soft_wrap=True)
    baseline = read_baseline()
    if update:
        write_baseline(updated(baseline, measured, compilers))
        return
    reasons = {name: baseline.other_compiler(name) for name in chosen}
    for reason in dict.fromkeys(reason for reason in reasons.values() if reason):
        console().print(f"not compared: {reason}", highlight=False, soft_wrap=True)
    comparable = {key(m, name): measured[key(m, name)] for m in models() for name in chosen if reasons[name] is None}
    if lines := grown(comparable, baseline.counts):
        raise DimmerError("; ".join(lines))


def _count_all(chosen: Sequence[str]) -> dict[str, Count]:
    jobs = [(model, name) for model in models() for name in chosen]
    measured: dict[str, Count] = {}

    def one(job: tuple[Path, str]) -> tuple[str, Count]:
        return key(*job), count(*job)

    with progress_bar("bench") as progress, ThreadPoolExecutor(WORKERS) as pool:
        for name, figures in pool.map(one, jobs):
            measured[name] = figures
            progress(name, len(measured) / len(jobs))
    return measured


def _print(results: Sequence[Result]) -> None:
    from rich.table import Table

    headings = ("target", "instructions", "per MAC", "bound", "TFLM + CMSIS-NN", "ratio", "code", "arena", "stack")
    for model in models():
        mine = [r for r in results if r.model == model.stem]
        title = f"{model.stem}, {mine[0].count.macs:,} MACs: instructions of one inference, not cycles"
        table = Table(title=title, title_justify="left")
        for heading in headings:
            table.add_column(heading, justify="left" if heading == "target" else "right")
        for r in mine:
            c = r.count
            beside = (f"{r.peer.instructions:,}", f"{r.ratio:.2f}") if r.peer else ("-", "-")
            own = (f"{c.instructions:,}", f"{c.instructions / c.macs:.2f}", f"{r.bound:,}")
            table.add_row(r.target, *own, *beside, f"{c.code:,}", f"{c.arena:,}", f"{c.stack:,}")
        console().print(table)


if __name__ == "__main__":
    main_of(main)
