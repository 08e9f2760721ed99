# SPDX-License-Identifier: Apache-2.0
"""A fleet in parts: each is simulated once and kept, so that a run that was killed goes on where it stopped.

Parts are simulated in this process or by Dask, whose workers run the same function; a part's devices come from its
seed and its number, so that the numbers are the same whoever simulates it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import RUNTIME
from dimmer.pipeline.core.closure import closure
from dimmer.pipeline.core.extras import require_packages
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.verification.simulation.experiment import Outcome, Part, simulate_part
from dimmer.pipeline.verification.simulation.scenarios import Kind, Scenario
from dimmer.pipeline.verification.simulation.setting import Setting

PART_DEVICES = 1000
ORACLES = 8
"""Of a part: a linear program of a year takes a tenth of a second."""

EMBEDDED, NONE = "embedded", "none"
_EXPERIMENT = "dimmer.pipeline.verification.simulation.experiment"
_CONNECT_S = 10
_PATIENCE = "10 minutes"


def parts_of(devices: int, seeds: int) -> list[Part]:
    """All parts of a fleet, seed by seed."""
    found = []
    for seed in range(seeds):
        for number, first in enumerate(range(0, devices, PART_DEVICES)):
            found.append(Part(seed, number, min(PART_DEVICES, devices - first), ORACLES))
    return found


def simulate_fleet(
    scenarios: Sequence[Scenario],
    setting: Setting,
    parts: Sequence[Part],
    folder: Path,
    scheduler: str,
    progress: Progress,
) -> dict[str, list[Outcome]]:
    """Simulates what `folder` does not hold yet.

    Args:
        folder: of finished parts.
        scheduler: EMBEDDED for Dask on this machine, NONE for this process alone, or a scheduler's address.

    Returns:
        Scenario's name -> outcomes in the order of `parts`.

    Raises:
        DimmerError: a package is missing; no scheduler answers.
    """
    if any(scenario.kind is Kind.SOLAR for scenario in scenarios):
        require_packages(["scipy", "pvlib"], "simulate")
    folder.mkdir(parents=True, exist_ok=True)
    files = {(s.name, part): folder / f"{_key(s, setting, part)}.npz" for s in scenarios for part in parts}
    jobs = [(s, part) for s in scenarios for part in parts if not files[s.name, part].is_file()]
    done = len(files) - len(jobs)
    for number, (scenario, part, outcome) in enumerate(_simulated(jobs, setting, scheduler)):
        outcome.save(files[scenario.name, part])
        progress(f"{scenario.name}, seed {part.seed}", (done + number + 1) / len(files))
    return {s.name: [Outcome.load(files[s.name, part]) for part in parts] for s in scenarios}


def _simulated(
    jobs: Sequence[tuple[Scenario, Part]], setting: Setting, scheduler: str
) -> Iterator[tuple[Scenario, Part, Outcome]]:
    if scheduler == NONE or (scheduler == EMBEDDED and len(jobs) < 2):
        for scenario, part in jobs:
            yield scenario, part, simulate_part(scenario, setting, part)
        return
    with _client(scheduler) as client:
        from distributed import as_completed

        waiting = {client.submit(simulate_part, s, setting, part, pure=False): (s, part) for s, part in jobs}
        for future in as_completed(list(waiting)):
            scenario, part = waiting.pop(future)
            yield scenario, part, _result(future)
            future.release()


def _result(future: Any) -> Outcome:
    from concurrent.futures import CancelledError

    try:
        outcome: Outcome = future.result()
    except CancelledError as error:
        raise DimmerError(f"Dask lost its scheduler ({error}): type the same again, what is done is kept") from error
    return outcome


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    """Dask's client: of workers on this machine, one a core, or of a cluster."""
    require_packages(["distributed"], "simulate")
    import dask
    from distributed import Client, LocalCluster

    # A machine that is busy with other work answers late, and is not gone.
    dask.config.set({f"distributed.comm.timeouts.{name}": _PATIENCE for name in ("connect", "tcp")})
    if scheduler == EMBEDDED:
        with (
            LocalCluster(threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise DimmerError(f"no Dask scheduler answers at {scheduler} ({error}): start dask scheduler there") from error
    with client:
        yield client


def _key(scenario: Scenario, setting: Setting, part: Part) -> str:
    """What a part's numbers depend on."""
    return hashlib.sha256(f"{_code()} {scenario!r} {setting!r} {part!r}".encode()).hexdigest()[:24]


@cache
def _code() -> str:
    """Of everything that is run: a change makes every part anew."""
    runs = closure(_EXPERIMENT)
    said = hashlib.sha256(json.dumps([runs.hashes(), runs.versions()], sort_keys=True).encode())
    for folder in (Path(__file__).parent, RUNTIME / "src", RUNTIME / "include"):
        # By name alone: the package lies in other places when it is installed.
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.suffix in (".c", ".h", ".toml"):
                said.update(file.read_bytes())
    return said.hexdigest()
