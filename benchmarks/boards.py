# SPDX-License-Identifier: Apache-2.0
"""Every shipped model on every board: flash, RAM, instructions, modelled cycles; and docs/board_figures.md of them.

python -m benchmarks.boards --model mnist5k-r14                # a model that is converted here: its figures anew
python -m benchmarks.boards --model mnist5k-r14 --board pico   # on one board only
python -m benchmarks.boards                                    # the page alone, of the figures that are there

Nothing counts on a board's twin. What a mode takes is counted on the emulated board with the same core, whose generated
C is the same but for the start-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from dimmer import children
from dimmer.benchmarks.board_rows import Cost, Row, read_figures, with_rows, write_figures
from dimmer.benchmarks.board_table import PAGE, page
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.gates import recipe_gates
from dimmer.pipeline.core.command import main_of, progress_bar
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.fit import DoesNotFitError
from dimmer.pipeline.image.make import Counted, judge
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.published import published_order, with_accuracies, worth_running
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.duty import duty_of
from dimmer.targets import Target, load_target, target_names
from dimmer.targets.counter import counter_of, uncounted


def real_boards() -> tuple[str, ...]:
    """Dimmer's own targets that one can hold in his hand."""
    return tuple(name for name in target_names() if load_target(name).board is not None)


def measure(recipe: Recipe, boards: Sequence[Target], progress: Progress) -> Iterator[tuple[str, Row]]:
    """SHA-256 of a model's converted modes, and a row, for each board.

    Raises:
        DimmerError: it is not converted, nobody counts for a board, or a tool is missing.
    """
    build = build_folder(recipe)
    calibration = Calibration.load(calibration_folder(build))
    order = published_order(build, recipe.name, recipe.model.dataset, recipe_gates(recipe))
    order = with_accuracies(order, calibration)
    digest = hashlib.sha256(b"".join(mode.path.read_bytes() for mode in order.modes)).hexdigest()
    duty = duty_of(recipe.duty, recipe.governor)
    counted: dict[tuple[str, int], Counted] = {}
    for number, board in enumerate(boards):
        progress(f"{recipe.name} on {board.name}", number / len(boards))
        counter = counter_of(board)
        if counter is None:
            raise DimmerError(f"{board.name} has no row: {uncounted(board)}")
        alike = counter.name, counter.scratch_limit
        if alike not in counted:
            counted[alike] = judge(order, calibration, board, lambda _t, _s: None, needed=True)
        own = counted[alike]
        chosen, _ = worth_running(order, calibration, recipe.policy, board, own, recipe.governor, duty)
        yield digest, row_of(chosen, board, own)


def row_of(order: Order, board: Target, counted: Counted) -> Row:
    """Compiles an order for a board.

    Args:
        counted: what its modes cost on the emulated board.
    """
    costs = [Cost(mode.name, counted.instructions[mode.name], counted.cycles.get(mode.name)) for mode in order.modes]
    by_cost = sorted(costs, key=lambda cost: cost.cycles or cost.instructions)
    empty = Row(order.name, board.name, len(order.modes), None, None, None, None)
    with children.scratch() as work:
        try:
            made = compile_modes(order, order.modes, board, work, prove_stack=True)
        except DoesNotFitError as error:
            return replace(empty, misfit=str(error))
    stack = None if made.stack is None else made.stack.figures.proven
    ram = None if stack is None else made.sizes.data + made.sizes.bss + stack
    return replace(empty, flash=made.flash, ram=ram, dearest=by_cost[-1], cheapest=by_cost[0])


def main(
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A model that is converted here; repeat for more.")
    ] = None,
    board: Annotated[list[str] | None, typer.Option("--board", help="Only on this one; repeat for more.")] = None,
) -> None:
    """Measure models on every board, and write docs/board_figures.md of what is known."""
    boards = [load_target(name) for name in board or real_boards()]
    for name in model or ():
        recipe = load_recipe(name)
        with progress_bar("boards") as progress:
            for digest, row in measure(recipe, boards, progress):
                write_figures(with_rows(read_figures(), recipe.name, digest, [row]))
    atomic_write(PAGE, page(read_figures()))
    print(PAGE)


if __name__ == "__main__":
    main_of(main)
