# SPDX-License-Identifier: Apache-2.0
"""A live view of a device: a board's serial line, an emulator, dimmer-run's lines, or a recording.

python -m pipeline.watch /dev/ttyACM0 --record day.jsonl
python -m pipeline.watch --target mps2-an386 --web
dimmer-run --format packed - | dimmer watch -
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.places import built_elf
from dimmer.pipeline.core.command import at_stop, console, main_of, model_option, target_option
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.live.sources import Lines, emulated, recorded, source_of
from dimmer.pipeline.reporting.live.terminal import line_of, view
from dimmer.pipeline.reporting.live.watched import Watched
from dimmer.pipeline.reporting.live.web import served
from dimmer.targets import load_target

PORT = 8707


def main(
    source: Annotated[
        str | None, typer.Argument(help="Serial port, recording, or - for a pipe; none: --target's emulator.")
    ] = None,
    target: Annotated[str, target_option] = "mps2-an386",
    model: Annotated[str, model_option] = "mnist5k-r14",
    web: Annotated[bool, typer.Option("--web", help="Show it on a page, too, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the page; 0: any.")] = PORT,
    record: Annotated[Path | None, typer.Option("--record", help="File to write the lines into.")] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.0, max=1e6, help="Of a replay; 0: at once.")] = 1.0,
) -> None:
    """Show a device live, on the terminal and on a page: mode, charge, predicted end, latency, predictions."""
    # Of a serial line there is no other end.
    at_stop("stopped" if record is None else f"stopped; {record} has what was heard")
    with ExitStack() as stack:
        if source is None:
            build = build_folder(load_recipe(model)) / load_target(target).name
            watched = Watched(f"{build.parent.name} on {build.name}, emulated", _modelled_ms(build / "report.json"))
            lines = stack.enter_context(_emulator(target, build))
        else:
            if record is not None and Path(source).exists() and record.exists() and record.samefile(source):
                raise DimmerError(f"{record} is what is replayed: give --record another file")
            lines = stack.enter_context(source_of(source, speed))
            watched = Watched("a pipe" if source == "-" else source)
        if web:
            print(stack.enter_context(served(watched.state, port)), flush=True)
        _show(lines if record is None else recorded(lines, record), watched)
        if web:
            threading.Event().wait()


def _show(lines: Lines, watched: Watched) -> None:
    """Takes lines until there are no more: a view that changes on a terminal, else a line at each change of mode."""
    from rich.live import Live

    terminal = console()
    if terminal.is_terminal and not terminal.is_dumb_terminal:
        with Live(console=terminal, get_renderable=lambda: view(watched.state()), refresh_per_second=4):
            for one in lines:
                watched.take(one.at_s, one.line)
            watched.end()
        return
    for one in lines:
        if watched.take(one.at_s, one.line):
            print(line_of(watched.state()), flush=True)
    watched.end()
    terminal.print(view(watched.state()))


@contextmanager
def _emulator(target: str, build: Path) -> Iterator[Lines]:
    chosen = load_target(target)
    product = chosen.board is not None
    elf = build / "product" / "firmware.elf" if product else built_elf(build.parent, chosen)
    if not elf.is_file():
        verb = f"dimmer product --target {target}" if product else f"dimmer build --target {target}"
        raise DimmerError(
            f"there is no {elf}: type '{verb} --model {build.parent.name}', or name a serial port or a file"
        )
    with emulated(chosen, elf) as lines:
        yield lines


def _modelled_ms(report: Path) -> Mapping[str, float]:
    """Mode -> milliseconds of an inference as the build's report has them; nothing where it has none."""
    if not report.is_file():
        return {}
    try:
        energy = json.loads(report.read_text())["energy"] or {"modes": ()}
        return {mode["name"]: float(mode["milliseconds"]["value"]) for mode in energy["modes"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DimmerError(f"{report} cannot be read ({error!r}): remove it and build again") from error


if __name__ == "__main__":
    main_of(main)
