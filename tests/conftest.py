# SPDX-License-Identifier: Apache-2.0
"""Tests that need what a machine may not have are skipped there, and say why."""

import os
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from dimmer import children
from dimmer.pipeline.core.debian import missing_tools
from dimmer.pipeline.core.extras import missing_packages
from dimmer.targets import load_target
from dimmer.targets.kit import toolchain
from dimmer.targets.runners import rtl
from tests.npu import npu_modes
from tests.objects import shared_objects
from tests.tiny import builds, of_the_run, tiny, tiny_converted, tiny_narrow

__all__ = ["builds", "npu_modes", "tiny", "tiny_converted", "tiny_narrow"]

# The same examples every time where a failure must repeat; others on every run elsewhere.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

CI_SEED = 1
"""Of the random order, where CI is set and no seed is given; the noxfile gives this one too."""

# Sources compiled with -g are the same from whatever folder.
os.environ.setdefault("CCACHE_NOHASHDIR", "1")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def nothing_is_being_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test in which a command is stopped does not stop the programs of those after it."""
    monkeypatch.setattr(children, "_stopping", False)


@pytest.fixture(scope="session", autouse=True)
def kept_simulators() -> Iterator[None]:
    """Tests give builds folders of their own. Simulators of cores take long to build: all tests have them from the
    folder that was in force before.
    """
    folder = rtl.simulators()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtl, "simulators", lambda: folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def objects_of_the_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A run compiles a file of the library once for each command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toolchain, "_run", shared_objects(toolchain._run, of_the_run(tmp_path_factory, "objects")))
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # A shell without job control starts what runs in the background with SIGINT ignored, and children inherit that:
    # tests that press Ctrl-C would wait in vain.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    given = any("randomly" in argument for argument in config.invocation_params.args)
    if os.environ.get("CI") and not given and hasattr(config.option, "randomly_seed"):
        config.option.randomly_seed = CI_SEED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("shared") and not (SHARED / "data").is_dir():
            item.add_marker(pytest.mark.skip(reason="needs ../shared with its data sets and models"))
        boards = [marker.args[0] for marker in item.iter_markers("board") if marker.args]
        if item.get_closest_marker("shared") and boards:
            # They share one firmware, which takes long to build.
            item.add_marker(pytest.mark.xdist_group(f"shared models on {boards[0]}"))
        for marker in item.iter_markers("board"):
            if packages := _missing_packages(*marker.args):
                reason = f"needs sudo apt-get install --no-install-recommends {packages}"
                item.add_marker(pytest.mark.skip(reason=reason))
            if cores := _missing_cores(*marker.args):
                extra = load_target(marker.args[0]).extra
                item.add_marker(pytest.mark.skip(reason=f"needs pip install 'dimmer-nn[{extra}]': {', '.join(cores)}"))


@cache
def _missing_cores(board: str = "mps2-an386") -> list[str]:
    return missing_packages(load_target(board).distributions)


@cache
def _missing_packages(board: str = "mps2-an386") -> str:
    return " ".join(sorted(set(missing_tools(load_target(board).tools).values())))
