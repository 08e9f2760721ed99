# SPDX-License-Identifier: Apache-2.0
"""Count instructions on the emulated boards, beside the peers, against the baseline: `./nox -s bench`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from dimmer.benchmarks.count import (
    MODELS,
    Measured,
    compiler,
    grown,
    key,
    measure,
    measured_modes,
    models,
    read_baseline,
    targets,
    updated,
    write_baseline,
)
from dimmer.benchmarks.networks import NETWORKS, write_networks
from dimmer.benchmarks.published import MODELS as MODELS_PUBLISHED
from dimmer.benchmarks.published import published_for
from dimmer.benchmarks.results import RESULTS, Result, result_of, write_results
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.pipeline.build import build, steps_for
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.core.debian import require_tools
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from dimmer.targets.timing.run import guess_of

WORKERS = 2
LEFT = ("model", "target", "core", "stack", "round", "layer", "kernel")
"""Columns of text."""


def main(
    target: Annotated[
        list[str] | None, typer.Option("--target", help="A target that counts instructions; repeat for more. All.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A recipe whose modes are counted too; repeat for more.")
    ] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Print every layer.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Make the figures the new baseline.")] = False,
) -> None:
    """Count every benchmark model on every core; fail where a figure grew by more than 2 %.

    A run over all cores leaves benchmarks/results.json and instructions.svg.
    """
    if not models():
        raise DimmerError(f"there are no models in {MODELS}: put MLPerf Tiny's int8 .tflite files there")
    files = (*models(), *write_networks())
    chosen = tuple(dict.fromkeys(target or targets()))
    for name in chosen:
        if not load_target(name).counts_instructions:
            raise DimmerError(f"{name} has no instruction counter: name some of {', '.join(targets())}")
    require_tools({tool: package for name in chosen for tool, package in load_target(name).tools.items()})
    recipes = [result for recipe in model or () for name in chosen for result in _count_recipe(recipe, name)]
    measured = _count_files(files, chosen)
    results = [result_of(file.stem, name, measured[key(file, name)]) for file in files for name in chosen] + recipes
    _print(results)
    _print_cycles(results)
    _print_published(results)
    if layers:
        for result in results:
            _print_layers(result)
    compilers = dict(compiler(name) for name in chosen)
    if set(chosen) == set(targets()):
        write_results(results, compilers)
        console().print(f"{RESULTS}", highlight=False, soft_wrap=True)
    _compare(files, chosen, measured, compilers, update)


def _count_files(files: Sequence[Path], chosen: Sequence[str]) -> dict[str, Measured]:
    jobs = [(file, name) for file in files for name in chosen]
    measured: dict[str, Measured] = {}
    with progress_bar("bench") as progress, ThreadPoolExecutor(WORKERS) as pool:
        for job, figures in zip(jobs, pool.map(lambda job: measure(*job), jobs), strict=True):
            measured[key(*job)] = figures
            progress(key(*job), len(measured) / len(jobs))
    return measured


def _count_recipe(model: str, name: str) -> list[Result]:
    """Every mode of a recipe, built as far as the firmware."""
    recipe, target = load_recipe(model), load_target(name)
    steps = [step for step in steps_for(target) if step.name not in ("firmware (host)", "verify")]
    build(BuildContext(recipe, target, build_folder(recipe)), steps)
    figures = Firmware.load(firmware_folder(build_folder(recipe), name))
    return [result_of(recipe.name, name, measured) for measured in measured_modes(figures)]


def _compare(
    files: Sequence[Path],
    chosen: Sequence[str],
    measured: dict[str, Measured],
    compilers: dict[str, str],
    update: bool,
) -> None:
    baseline = read_baseline()
    counts = {name: figures.count for name, figures in measured.items()}
    if update:
        write_baseline(updated(baseline, counts, compilers))
        return
    reasons = {name: baseline.other_compiler(name) for name in chosen}
    for reason in dict.fromkeys(reason for reason in reasons.values() if reason):
        console().print(f"not compared: {reason}", highlight=False, soft_wrap=True)
    comparable = {key(m, name): counts[key(m, name)] for m in files for name in chosen if reasons[name] is None}
    if lines := grown(comparable, baseline.counts):
        raise DimmerError("; ".join(lines))


def _print(results: Sequence[Result]) -> None:
    def cells(r: Result) -> tuple[str, ...]:
        c = r.count
        beside = (f"{r.peer.instructions:,}", f"{r.ratio:.2f}") if r.peer else ("-", "-")
        own = (f"{c.instructions:,}", f"{c.instructions / c.macs:.2f}", f"{r.bound:,}")
        return (r.target, *own, *beside, f"{c.code:,}", f"{c.arena:,}", f"{c.stack:,}")

    described = {network.name: network.description for network in NETWORKS}
    headings = ("target", "instructions", "per MAC", "bound", "TFLM + CMSIS-NN", "ratio", "code", "arena", "stack")
    for model, mode in dict.fromkeys((r.model, r.mode) for r in results):
        mine = [r for r in results if (r.model, r.mode) == (model, mode)]
        named = model if mode == model else f"{model} {mode}"
        title = f"{named}, {mine[0].count.macs:,} MACs: instructions of one inference, not cycles"
        if model in described:
            title = f"{title}\n{described[model]}"
        _table(title, headings, [cells(r) for r in mine])


def _print_cycles(results: Sequence[Result]) -> None:
    """Cycles of every mode that has some, measured or modelled."""
    headings = ("model", "target", "instructions", "cycles", "per MAC", "per instruction")
    rows = []
    for r in results:
        if (cycles := r.count.cycles) is not None:
            per_mac, per_instruction = f"{cycles / r.count.macs:.2f}", f"{cycles / r.count.instructions:.2f}"
            name = r.model if r.mode == r.model else f"{r.model} {r.mode}"
            rows.append((name, r.target, f"{r.count.instructions:,}", cycles_text(r.count), per_mac, per_instruction))
    if rows:
        _table("cycles of one inference", headings, rows)
        guesses = dict.fromkeys(guess for r in results if (guess := guess_of(r.target)))
        for line in cycles_lines((r.count for r in results), "; ".join(guesses)):
            console().print(line, highlight=False, soft_wrap=True)


def _print_published(results: Sequence[Result]) -> None:
    """Our cycles beside published ones, the fastest peer first, whoever leads."""
    headings = ("model", "core", "stack", "round", "its cycles", "ours", "ratio")
    rows = []
    for r in results:
        if (cycles := r.count.cycles) is None or r.mode != r.model:
            continue
        for peer, megacycles in published_for(r.model, r.target, r.core):
            figures = (f"{megacycles:,.2f} M", cycles_text(r.count), f"{cycles / 1e6 / megacycles:.2f}")
            rows.append((MODELS_PUBLISHED[r.model], r.core, peer.stack, peer.round, *figures))
    if rows:
        _table("cycles beside published ones, real boards; quoted in benchmarks/published.py", headings, rows)


def _print_layers(result: Result) -> None:
    whole, cycles = result.count.instructions, result.count.cycles
    rows = []
    for layer in result.layers:
        timed = layer.cycles is not None and cycles is not None
        mine, total = (layer.cycles or 0, cycles or 1) if timed else (layer.instructions, whole)
        row = (
            layer.layer if len(layer.layer) <= 24 else f"...{layer.layer[-21:]}",
            layer.kernel.removeprefix("dimmer_"),
            f"{layer.macs:,}",
            f"{layer.instructions:,}",
            cycles_text(layer),
            f"{mine / layer.macs:.2f}" if layer.macs else "-",
            f"{mine / total:.1%}",
        )
        rows.append(row)
    title = f"{result.model} {result.mode}" if result.mode != result.model else result.model
    headings = ("layer", "kernel", "MACs", "instructions", "cycles", "per MAC", "share")
    of = "cycles" if cycles else "instructions"
    _table(f"{title} on {result.target}, layer by layer; {of} per MAC and shares of them", headings, rows)


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in LEFT else "right")
    for row in rows:
        table.add_row(*row)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
