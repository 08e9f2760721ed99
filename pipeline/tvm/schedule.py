# SPDX-License-Identifier: Apache-2.0
"""How the lowered operators' loops run on a CPU: tiled, vectorised, their dot products as instructions.

The sums of a convolution are kept in registers: `pixels` neighbours in a row by `vectors` steps of output channels,
through all of the kernel and the input channels. What follows a sum (rescaling, the addition of a residual) is
computed from these registers. The two numbers are the schedule's only choices: by default the most that registers
hold, or what MetaSchedule found to be faster (`pipeline.tvm_tune`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.dot import ARM, AVX2, PLAIN, Dot, register

LANES = 16  # of a loop without sums: int8 codes that are read, widened and written together
TILES = tuple((pixels, vectors) for pixels in range(1, 9) for vectors in range(1, 5))
"""Pixels and vectors; tuning tries those that divide the work, a database has their indexes."""

# Accumulators that leave registers for codes and weights: 16 registers of AVX2, 32 of NEON.
_ACCUMULATORS = {AVX2: 8, ARM: 16, PLAIN: 4}
_MOST_PIXELS = 8


def schedule(module: Any, dot: Dot, tuned: Path | None = None) -> Any:
    """All PrimFuncs of a module.

    Args:
        tuned: MetaSchedule's database, whose fastest schedule a function gets if it holds one.

    Raises:
        DimmerError: the database is damaged.
    """
    import tvm
    from tvm import tirx

    database = None
    if tuned is not None:
        database = open_database(tuned)
        if dot.instruction is not None:
            register(dot)
    for variable, function in module.functions.items():
        if not isinstance(function, tirx.PrimFunc):
            continue
        alone = workload(function)
        found = None if database is None else database.query_schedule(alone, tvm.target.Target.current(), "main")
        if found is None:
            found = tvm.s_tir.Schedule(alone)
            apply(found, dot)
        module.update_func(variable, found.mod["main"].with_attr("global_symbol", variable.name_hint))
    return module


def workload(function: Any) -> Any:
    """A function by itself, as the database knows it: whatever its name is."""
    import tvm

    return tvm.IRModule({"main": function.with_attr("global_symbol", "main")})


def open_database(folder: Path) -> Any:
    """MetaSchedule's database in a folder, made where there is none.

    Raises:
        DimmerError: it is damaged.
    """
    from tvm.s_tir import meta_schedule as ms

    try:
        return ms.database.JSONDatabase(work_dir=str(folder))
    except Exception as error:  # TVM has no type of its own for it
        why = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise DimmerError(f"{folder} is a damaged tuning database ({why}): delete it and tune again") from error


def tiles_of(module: Any, dot: Dot) -> list[tuple[int, int]]:
    """The tiles among TILES, and the default one, that divide a workload's work; none where it has no dot products."""
    size = _size(module)
    if size is None:
        return []
    width, channels = size
    fitting = [(p, v) for p, v in TILES if width % p == 0 and channels % (v * dot.outputs) == 0]
    return [tile for tile in fitting if tile[0] * tile[1] <= 2 * _ACCUMULATORS.get(dot, 4)]


def default_tile_of(module: Any, dot: Dot) -> tuple[int, int]:
    """As default_tile, of a workload with dot products."""
    size = _size(module)
    assert size is not None
    return default_tile(*size, dot)


def _size(module: Any) -> tuple[int, int] | None:
    """Width and output channels of a workload's dot products."""
    import tvm

    sch = tvm.s_tir.Schedule(module)
    for block in sch.get_child_blocks(sch.get_sblock("root")):
        if sch.get(block).name_hint == "sums" and has_dot(sch, block):
            _, _, x, o, *_ = sch.get_loops(block)
            return extent(sch, x), extent(sch, o)
    return None


def apply(sch: Any, dot: Dot, tile: tuple[int, int] | None = None) -> None:
    """Schedules the one function of ``sch``."""
    names = {sch.get(block).name_hint: block for block in sch.get_child_blocks(sch.get_sblock("root"))}
    last = list(names)[-1]
    for name, block in list(names.items()):
        if name not in ("sums", "padded", "sliced", last):
            sch.compute_inline(block)
    for name in ("padded", "sliced"):
        if name in names:
            _vectorise(sch, names[name], LANES)
    if "sums" not in names:
        _vectorise(sch, names[last], LANES)
    elif has_dot(sch, names["sums"]):
        _dots(sch, names["sums"], names[last], dot, tile)
    else:
        _plain_sums(sch, names["sums"], names[last])


def has_dot(sch: Any, sums: Any) -> bool:
    """Whether a block of sums was lowered to dot products."""
    return "lanes" in {sch.get(loop).loop_var.name for loop in sch.get_loops(sums)}


def default_tile(width: int, channels: int, dot: Dot) -> tuple[int, int]:
    """Pixels and vectors for a row of `width` pixels with `channels` output channels."""
    best = (1, 1)
    for vectors in range(1, 5):
        if channels % (vectors * dot.outputs):
            continue
        for pixels in range(1, _MOST_PIXELS + 1):
            if width % pixels or pixels * vectors > _ACCUMULATORS.get(dot, 4):
                continue
            # As many accumulators as fit; of equally many, the fewer loads for them.
            if (pixels * vectors, -(pixels + vectors)) > (best[0] * best[1], -(best[0] + best[1])):
                best = (pixels, vectors)
    return best


def extent(sch: Any, loop: Any) -> int:
    """Iterations of a loop."""
    return int(sch.get(loop).extent)


def _dots(sch: Any, sums: Any, codes: Any, dot: Dot, tile: tuple[int, int] | None) -> None:
    _, y, x, o, rows, columns, steps, lanes = sch.get_loops(sums)
    pixels, vectors = tile or default_tile(extent(sch, x), extent(sch, o), dot)
    x, pixel = sch.split(x, [None, pixels])
    o, vector, channel = sch.split(o, [None, vectors, dot.outputs])
    sch.reorder(y, x, o, rows, columns, steps, pixel, vector, channel, lanes)
    sch.set_scope(sums, 0, "local")
    sch.reverse_compute_at(codes, o)
    *_, code = sch.get_loops(codes)
    _vectorise_loop(sch, code, dot.outputs)
    if dot.instruction is None:
        sch.reorder(lanes, channel)
        sch.unroll(lanes)
        sch.vectorize(channel)
    start = sch.decompose_reduction(sums, rows)
    *_, first_pixel, first_vector, first_channel = sch.get_loops(start)
    for loop in (pixel, vector, first_pixel, first_vector):
        sch.unroll(loop)
    sch.vectorize(first_channel)
    if dot.instruction is not None:
        sch.tensorize(channel, register(dot))


def _plain_sums(sch: Any, sums: Any, codes: Any) -> None:
    """A depthwise convolution, a pool or a mean: the last axis, the channels, lies innermost and in vectors."""
    loops = sch.get_loops(sums)
    spatial = [loop for loop in loops if sch.get(loop).loop_var.name not in reductions(sch, sums)]
    reduction = [loop for loop in loops if sch.get(loop).loop_var.name in reductions(sch, sums)]
    outer, channel = spatial[:-1], spatial[-1]
    channels = extent(sch, channel)
    width = next(width for width in (LANES, 8, 4, 1) if channels % width == 0)
    block, channel = sch.split(channel, [None, width])
    sch.reorder(*outer, block, *reduction, channel)
    sch.set_scope(sums, 0, "local")
    sch.reverse_compute_at(codes, block)
    sch.vectorize(sch.get_loops(codes)[-1])
    sch.vectorize(channel)
    start = sch.decompose_reduction(sums, reduction[0])
    sch.vectorize(sch.get_loops(start)[-1])


def reductions(sch: Any, block: Any) -> set[str]:
    """Names of the loops that a block sums over."""
    from tvm import tirx

    found = set()
    realize = sch.get(sch.get_loops(block)[-1]).body
    for variable, value in zip(realize.block.iter_vars, realize.iter_values, strict=True):
        if variable.iter_type == tirx.IterVar.CommReduce:
            found.add(value.name)
    return found


def _vectorise(sch: Any, block: Any, lanes: int) -> None:
    """The innermost loop of a block without sums."""
    loops = sch.get_loops(block)
    if loops:
        _vectorise_loop(sch, loops[-1], lanes)


def _vectorise_loop(sch: Any, loop: Any, lanes: int) -> None:
    length = extent(sch, loop)
    while length % lanes:
        lanes //= 2
    if lanes > 1:
        if length > lanes:
            loop = sch.split(loop, [None, lanes])[1]
        sch.vectorize(loop)
