"""How the lowered operators' loops run on a CPU: tiled, vectorised, their dot products as instructions.

The sums of a convolution are kept in registers: `pixels` neighbours in a row by `vectors` steps of output channels,
through all of the kernel and the input channels. What follows a sum (rescaling, the addition of a residual) is
computed from these registers. The two numbers are the schedule's only choices: by default the most that registers
hold, or what MetaSchedule found to be faster (`pipeline.tvm_tune`).
"""

from __future__ import annotations

from typing import Any

from pipeline.tvm_dot import ARM, AVX2, PLAIN, Dot, register

LANES = 16  # of a loop without sums: int8 codes that are read, widened and written together
TILES = ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 4), (4, 1), (4, 2), (4, 4), (7, 1), (7, 2), (8, 1), (8, 2))
"""Pixels and vectors that are tried in tuning."""

# Accumulators that leave registers for codes and weights: 16 registers of AVX2, 32 of NEON.
_ACCUMULATORS = {AVX2: 8, ARM: 16, PLAIN: 4}
_MOST_PIXELS = 8


def schedule(module: Any, dot: Dot, tile: tuple[int, int] | None = None) -> Any:
    """All PrimFuncs of a module; those that have schedules are left alone.

    Args:
        tile: pixels and vectors for every convolution; None for the default of each.
    """
    import tvm
    from tvm import tirx

    for variable, function in module.functions.items():
        if isinstance(function, tirx.PrimFunc) and not function.attrs.get("tirx.is_scheduled", False):
            scheduled = tvm.s_tir.Schedule(tvm.IRModule({"main": function}))
            apply(scheduled, dot, tile)
            module.update_func(variable, scheduled.mod["main"].with_attr("global_symbol", variable.name_hint))
    return module


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


def _extent(sch: Any, loop: Any) -> int:
    return int(sch.get(loop).extent)


def _dots(sch: Any, sums: Any, codes: Any, dot: Dot, tile: tuple[int, int] | None) -> None:
    _, y, x, o, rows, columns, steps, lanes = sch.get_loops(sums)
    pixels, vectors = tile or default_tile(_extent(sch, x), _extent(sch, o), dot)
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
    spatial = [loop for loop in loops if sch.get(loop).loop_var.name not in _reductions(sch, sums)]
    reduction = [loop for loop in loops if sch.get(loop).loop_var.name in _reductions(sch, sums)]
    outer, channel = spatial[:-1], spatial[-1]
    channels = _extent(sch, channel)
    width = next(width for width in (LANES, 8, 4, 1) if channels % width == 0)
    block, channel = sch.split(channel, [None, width])
    sch.reorder(*outer, block, *reduction, channel)
    sch.set_scope(sums, 0, "local")
    sch.reverse_compute_at(codes, block)
    sch.vectorize(sch.get_loops(codes)[-1])
    sch.vectorize(channel)
    start = sch.decompose_reduction(sums, reduction[0])
    sch.vectorize(sch.get_loops(start)[-1])


def _reductions(sch: Any, block: Any) -> set[str]:
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
    extent = _extent(sch, loop)
    while extent % lanes:
        lanes //= 2
    if lanes > 1:
        if extent > lanes:
            loop = sch.split(loop, [None, lanes])[1]
        sch.vectorize(loop)
