# SPDX-License-Identifier: Apache-2.0
"""Verbs and stages that several processes of `torchrun` work on together."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import ParamSpec

from dimmer import children, processes
from dimmer.pipeline.core.command import TOGETHER
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.core.terminal import progress_bar, silence

P = ParamSpec("P")


def together(command: Callable[P, None]) -> Callable[P, None]:
    """A verb's `main` whose work the processes of `torchrun` share; one of them shows what it prints."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(processes.joined())
            if not processes.is_first():
                quiet = stack.enter_context(open(os.devnull, "w"))
                stack.enter_context(contextlib.redirect_stdout(quiet))
            command(*arguments, **options)

    setattr(run, TOGETHER, True)
    return run


def first_bar(title: str) -> contextlib.AbstractContextManager[Progress]:
    """The progress bar of all processes, shown by the first."""
    return progress_bar(title) if processes.is_first() else silence()


class SharedStage(Stage):
    """A stage whose action all processes run; the folder is the first one's, and the others only help."""

    @staticmethod
    def of(stage: Stage) -> SharedStage:
        """The same stage, shared."""
        return SharedStage(**{field.name: getattr(stage, field.name) for field in fields(stage)})

    def run(self) -> StageResult:
        """As of every stage; whether there is anything to be done is for the first process to say.

        Raises:
            DimmerError: as of every stage.
        """
        if processes.count() == 1:
            return super().run()
        if not processes.is_first():
            if processes.agreed(lambda: True):
                with children.scratch() as folder:
                    self.action(folder)
            return StageResult(self.name, 0.0, cached=False)
        result = super().run()
        if result.cached:
            processes.agreed(lambda: False)
        return result

    def act(self, folder: Path) -> None:
        """Runs the action, and tells the others to."""
        processes.agreed(lambda: True)
        self.action(folder)
