# SPDX-License-Identifier: Apache-2.0
"""Tables of trainings: ``dimmer experiment NAME``, of ``models/<name>/experiments.toml``.

Every run is a process of its own, side by side, also under torchrun; what was killed goes on at the epoch where it
stopped. The last epoch counts, never the best; validation images choose, test images are looked at once
(docs/experiments.md).
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import builds
from dimmer.pipeline.core.command import complete_models, main_of
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.core.together import first_bar, together
from dimmer.pipeline.reporting.experiments.claims import claims_page
from dimmer.pipeline.reporting.experiments.merged import merge
from dimmer.pipeline.reporting.experiments.plot import plot
from dimmer.pipeline.reporting.experiments.results import FOLDER, results_of
from dimmer.pipeline.reporting.experiments.runs import do_runs, do_runs_together, runs_of
from dimmer.pipeline.reporting.experiments.table import load_table
from dimmer.pipeline.reporting.experiments.terminal import print_results
from dimmer.project import MODELS

ON_A_GPU = 4


@together
def main(
    name: Annotated[str | None, typer.Argument(help="A model.", autocompletion=complete_models)] = None,
    table: Annotated[str | None, typer.Option("--table", help="Which of its tables, where there are several.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Only this arm; may be repeated.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; may be repeated.")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Runs side by side; one a core, 4 a GPU by default."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each; equal bits need equal numbers.")] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda; equal tables need equal devices.")] = "cpu",
    out: Annotated[Path | None, typer.Option(help="Folder of the runs, not build/<model>/experiments/<table>.")] = None,
    merged: Annotated[
        list[Path] | None,
        typer.Option("--merge", help="Take over runs of --out elsewhere, begun ones, too, or of a results file."),
    ] = None,
    no_runs: Annotated[bool, typer.Option("--no-runs", help="Only say what the runs that there are tell.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Then put results and plot beside the recipe.")] = False,
    claims: Annotated[
        Path | None, typer.Option("--claims", help="Write the page of all claims to this file, and no more.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Of --claims: only say whether it is as it would be.")] = False,
) -> None:
    """Train a model's table of experiments, arms x seeds, and say what it shows."""
    if claims is not None:
        processes.agreed(lambda: _claims(claims, check=check))
        return
    if name is None:
        raise DimmerError("name a model that has experiments.toml, or --claims FILE")
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise DimmerError(f"--device is cpu or cuda, not '{device}'")
    found = load_table(name, table)
    folder = out or builds() / found.model / FOLDER / found.name
    every = runs_of(found, folder)
    for source in merged or ():
        print(f"{source}: {processes.agreed(partial(merge, every, source))}")
    failed = {}
    if not no_runs:
        shared, on_gpu = processes.count() > 1, device.startswith("cuda")
        side_by_side = jobs or (ON_A_GPU if on_gpu else 1 if shared else len(os.sched_getaffinity(0)))
        place = _own_gpu(device) if shared and on_gpu else device
        wanted = runs_of(found, folder, arm or (), seed or ())
        do = do_runs_together if shared else do_runs
        with first_bar("experiment") as progress:
            failed = dict(do(found, wanted, jobs=side_by_side, device=place, threads=threads, progress=progress))
    if processes.is_first():
        results = results_of(found, every)
        for home in (folder, *([found.path.parent / FOLDER] if ship else [])):
            results.save(home / f"{found.name}.json")
            if (picture := plot(results)) is not None:
                atomic_write(home / f"{found.name}.svg", picture)
            print(home / f"{found.name}.json")
        print_results(results)
    if failed:
        first, why = next(iter(failed.items()))
        raise DimmerError(f"{len(failed)} of the runs failed; {first}: {why}")


def _own_gpu(device: str) -> str:
    """The GPU of this process of `torchrun`."""
    if device != "cuda":
        raise DimmerError(f"--device {device}: under torchrun each process has a GPU of its own; write --device cuda")
    if (own := processes.device()).type != "cuda":
        raise DimmerError("--device cuda: there is no GPU here; write --device cpu")
    return str(own)


def _claims(path: Path, *, check: bool) -> None:
    page = claims_page(MODELS)
    if not check:
        atomic_write(path, page)
    elif not path.is_file() or path.read_text() != page:
        raise DimmerError(f"{path} is not what the results give; write it with dimmer experiment --claims {path}")
    print(path)


if __name__ == "__main__":
    main_of(main)
