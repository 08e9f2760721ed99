# SPDX-License-Identifier: Apache-2.0
"""TVM's fastest tiles, measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import locked
from dimmer.pipeline.tvm.dot import Dot, dot_of
from dimmer.pipeline.tvm.module import link
from dimmer.pipeline.tvm.schedule import TILES, apply, default_tile_of, open_database, tiles_of, workload
from dimmer.pipeline.tvm.targets import TvmTarget

RUN_S = 60

MEASURED_MS = 50  # of each of REPEATS

REPEATS = 5


@dataclass(frozen=True)
class Tuned:
    """One convolution.

    Attributes:
        default_us, best_us: of the default tile and of the fastest.
    """

    name: str
    default_us: float
    best_us: float


@dataclass(frozen=True)
class _Candidate:
    """What is to be timed.

    Attributes:
        mod: the function, not scheduled.
        tile: that it gets.
    """

    mod: Any
    tile: tuple[int, int]


def tune(module: Any, target: TvmTarget, folder: Path, rpc: tuple[str, int] | None, progress: Progress) -> list[Tuned]:
    """Measures every tile of every convolution that the database in ``folder`` does not have yet.

    Args:
        module: functions that are not scheduled, from `relax_module`.
        rpc: host and port of the tracker, all of whose boards of this target measure side by side; None for this
            machine.

    Raises:
        DimmerError: nothing can be run, the database is damaged, or another tuning measures into it.
    """
    from tvm.s_tir import meta_schedule as ms

    processor = target.processor()
    dot = dot_of(processor)
    config = ms.runner.EvaluatorConfig(number=1, repeat=REPEATS, min_repeat_ms=MEASURED_MS)
    work = [(name, mod, tile) for name, mod in convolutions(module, dot) for tile in tiles_of(mod, dot)]
    with _alone(folder), _stopped_quietly():
        database = open_database(folder)
        # TVM starts its workers itself.
        children.share()
        children.watch()
        boards = 1 if rpc is None else _check_tracker(target.name, *rpc)
        runner = _runner(ms, config, target, rpc, boards)
        some: list[_Candidate] = []
        for done, (name, mod, tile) in enumerate(work, 1):
            # Looked at late: functions that are alike are one to the database.
            if tile not in _measured(database, mod):
                progress(f"{name}, {tile[0]} x {tile[1]}", (done - 1) / len(work))
                some.append(_Candidate(mod, tile))
            if some and (len(some) == boards or done == len(work)):
                _measure(ms, database, some, dot, runner, target)
                some = []
        return [_tuned(database, name, mod, dot) for name, mod in convolutions(module, dot)]


def convolutions(module: Any, dot: Dot) -> Iterator[tuple[str, Any]]:
    """The functions that have a tile, by themselves."""
    from tvm import tirx

    for variable, function in module.functions.items():
        if isinstance(function, tirx.PrimFunc):
            alone = workload(function)
            if tiles_of(alone, dot):
                yield variable.name_hint, alone


def _measured(database: Any, mod: Any) -> set[tuple[int, int]]:
    """The tiles of a function that the database has."""
    return {tile_of(record) for record in database.get_top_k(database.commit_workload(mod), len(TILES))}


def tile_of(record: Any) -> tuple[int, int]:
    """The tile that a record was made with."""
    (index,) = (int(decision) for decision in record.trace.decisions.values())
    return TILES[index]


def _measure(
    ms: Any,
    database: Any,
    candidates: Sequence[_Candidate],
    dot: Dot,
    runner: Any,
    target: TvmTarget,
) -> None:
    """Times some candidates, each on a board of its own, side by side."""
    import tvm

    processor = target.processor()
    made = []
    with children.scratch() as folder:
        for number, candidate in enumerate(candidates):
            sch = tvm.s_tir.Schedule(candidate.mod)
            index = TILES.index(candidate.tile)
            sch.sample_categorical(list(range(len(TILES))), [1 / len(TILES)] * len(TILES), decision=index)
            apply(sch, dot, candidate.tile)
            arguments = ms.arg_info.ArgInfo.from_entry_func(sch.mod, remove_preproc=True)
            library = folder / f"candidate{number}.so"
            link(tvm.tirx.build(sch.mod, target=processor), target, library)
            made.append((sch.trace, arguments, ms.runner.RunnerInput(str(library), "cpu", arguments)))
        results = [future.result() for future in runner.run([entry for _, _, entry in made])]
    for candidate, (trace, arguments, _), result in zip(candidates, made, results, strict=True):
        if result.error_msg is not None:
            raise DimmerError(f"a tile of {candidate.tile} cannot be run: {_last_line(result.error_msg)}")
        known = database.commit_workload(candidate.mod)
        database.commit_tuning_record(ms.database.TuningRecord(trace, known, result.run_secs, processor, arguments))


def _tuned(database: Any, name: str, mod: Any, dot: Dot) -> Tuned:
    records = database.get_top_k(database.commit_workload(mod), len(TILES))
    times = {
        tile_of(record): 1e6 * statistics.median(float(second) for second in record.run_secs) for record in records
    }
    return Tuned(name, times[default_tile_of(mod, dot)], min(times.values()))


def _runner(ms: Any, config: Any, target: TvmTarget, rpc: tuple[str, int] | None, boards: int) -> Any:
    if rpc is None:
        return ms.runner.LocalRunner(timeout_sec=RUN_S, evaluator_config=config)
    host, port = rpc
    connection = ms.runner.RPCConfig(host, port, target.name, session_timeout_sec=RUN_S)
    return ms.runner.RPCRunner(rpc_config=connection, evaluator_config=config, max_workers=boards)


def _check_tracker(key: str, host: str, port: int) -> int:
    """How many boards wait there; TVM itself would try for minutes.

    Raises:
        DimmerError: none does, or there is no tracker.
    """
    import socket

    from tvm import rpc

    try:
        socket.create_connection((host, port), timeout=10).close()
        servers = rpc.connect_tracker(host, port).summary()["server_info"]
    except (OSError, RuntimeError) as error:
        raise DimmerError(
            f"no TVM tracker answers at {host}:{port} ({str(error).splitlines()[0]}): "
            "start one with 'python -m tvm.exec.rpc_tracker'"
        ) from error
    boards = len([entry for entry in servers if entry.get("key") == f"server:{key}"])
    if not boards:
        raise DimmerError(
            f"no board has registered at {host}:{port} as {key}: on it, type "
            f"'python -m tvm.exec.rpc_server --tracker {host}:{port} --key {key}'"
        )
    return boards


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A folder, made where it is not there, that no other process tunes in meanwhile.

    Raises:
        DimmerError: one does; two would damage the database.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder, wait=False))
        except BlockingIOError as error:
            raise DimmerError(
                f"another tuning measures into {folder}: wait for its end, then type this again"
            ) from error
        folder.mkdir(exist_ok=True)
        yield


@contextmanager
def _stopped_quietly() -> Iterator[None]:
    """TVM's workers say for themselves that they were interrupted, at length."""
    import logging

    logger = logging.getLogger("tvm")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it says nothing"


def address(text: str | None) -> tuple[str, int] | None:
    """HOST:PORT.

    Raises:
        DimmerError: it is none.
    """
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise DimmerError(f"--rpc takes no {text}: write HOST:PORT of TVM's tracker")
    return host, int(port)
