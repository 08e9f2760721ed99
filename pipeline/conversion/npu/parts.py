# SPDX-License-Identifier: Apache-2.0
"""A mode compiled for an NPU: one stream, or a chain of streams and of parts that its core runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.pipeline.artifacts.npu import NpuPart, OnCore, part_file
from dimmer.pipeline.conversion.npu.split import Cut, Splitter
from dimmer.pipeline.conversion.npu.vela import WAY_OUT, Estimate, Stays, StaysError, compile_stream
from dimmer.pipeline.conversion.npu.widen import widened
from dimmer.targets.kit.npu import Npu


@dataclass(frozen=True)
class Compiled:
    """A mode for the NPU.

    Attributes:
        parts: of a mode that the core runs parts of; none where one stream is the mode.
        streams: that it has, in their order.
        estimate: of all of them together, by Vela.
        widened: whether its weights had 4 bits in the file.
        inputs, outputs: values of the parts that are the mode's.
        sizes: bytes of each value.
    """

    name: str
    parts: tuple[NpuPart, ...]
    streams: tuple[CompiledMode, ...]
    estimate: Estimate
    widened: bool
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    sizes: dict[int, int] | None = None

    def forget(self, out: Path) -> None:
        """Removes what its compilation left."""
        for name in [part.name for part in self.parts] or [self.name]:
            for path in (out / f"{name}.npz", part_file(out, name)):
                path.unlink(missing_ok=True)


def compile_mode(name: str, tflite: Path, npu: Npu, out: Path) -> Compiled:
    """Compiles a mode, and leaves Vela's output as ``out/<name>.npz``; of a mode in parts each as ``<name>-<part>.npz``
    or, for the core, ``.tflite``.

    Raises:
        DimmerError: Vela is missing, refuses the file or the configuration, or dies; or it takes nothing of the mode,
            or leaves what cannot be cut out; one line.
        FirmwareGenError: its output is damaged.
    """
    content = tflite.read_bytes()
    try:
        ready = widened(content)
    except DimmerError as error:
        raise DimmerError(f"{tflite.name}: {error}") from error
    try:
        mode, estimate = compile_stream(name, tflite.name, ready, npu, out)
        return Compiled(name, (), (mode,), estimate, ready != content)
    except StaysError as error:
        if npu.is_experimental:
            raise
        stays = error
    try:
        return _in_parts(name, tflite.name, ready, npu, out, stays, ready != content)
    except StaysError:
        raise
    except DimmerError as error:
        said = str(error).removeprefix(f"{tflite.name}: ")
        kinds = ", ".join(dict.fromkeys(one.kind for one in stays.operators))
        way = "" if WAY_OUT in said else f" ({kinds} would stay on the core): {WAY_OUT}"
        raise DimmerError(f"{tflite.name}: {said}{way}") from error


def _in_parts(
    name: str, file: str, content: bytes, npu: Npu, out: Path, stays: StaysError, is_widened: bool
) -> Compiled:
    splitter = Splitter(content)
    core: dict[int, Stays] = {}
    made: dict[bytes, tuple[CompiledMode, bytes, Estimate]] = {}
    refused: StaysError | None = stays
    while refused is not None:
        more = _found(splitter, refused, core)
        if not more:
            raise StaysError(str(stays), stays.operators)
        core |= more
        cuts = splitter.cut(frozenset(core))
        refused = None
        for number, cut in enumerate(cuts):
            if cut.on_core or cut.content in made:
                continue
            try:
                stream, estimate = compile_stream(f"{name}-{number}", file, cut.content, npu, out)
                made[cut.content] = stream, (out / f"{name}-{number}.npz").read_bytes(), estimate
            except StaysError as error:
                # Within a part Vela may see less than in the whole.
                refused = error
                break
    streams = [made[cut.content] for cut in cuts if not cut.on_core]
    if not streams:
        kinds = ", ".join(dict.fromkeys(one.kind for one in core.values()))
        raise DimmerError(f"{file}: the NPU takes no operator of it ({kinds} stay on the core): {WAY_OUT}")
    for path in out.glob(f"{name}-*.npz"):
        path.unlink()
    parts, compiled = list[NpuPart](), list[CompiledMode]()
    for number, cut in enumerate(cuts):
        part = NpuPart(f"{name}-{number}", _on_core(splitter, cut, core), cut.inputs, cut.outputs)
        part_file(out, part.name).write_bytes(cut.content)
        parts.append(part)
        if not cut.on_core:
            stream, output, _ = made[cut.content]
            (out / f"{part.name}.npz").write_bytes(output)
            compiled.append(replace(stream, name=part.name))
    values = {*splitter.inputs, *splitter.outputs, *(value for cut in cuts for value in (*cut.inputs, *cut.outputs))}
    return Compiled(
        name,
        tuple(parts),
        tuple(compiled),
        _sum([estimate for _, _, estimate in streams]),
        is_widened,
        splitter.inputs,
        splitter.outputs,
        {value: splitter.size(value) for value in sorted(values)},
    )


def _found(splitter: Splitter, refused: StaysError, core: dict[int, Stays]) -> dict[int, Stays]:
    """The operators that Vela told of: by their tensors, or all of a kind where it tells no tensor of the file."""
    found: dict[int, Stays] = {}
    for one in refused.operators:
        places = [at for at, name in enumerate(splitter.tensors) if name == one.tensor]
        places = places or [at for at, kind in enumerate(splitter.kinds) if kind == one.kind]
        found |= {at: one for at in places if at not in core}
    return found


def _on_core(splitter: Splitter, cut: Cut, core: dict[int, Stays]) -> tuple[OnCore, ...]:
    if not cut.on_core:
        return ()
    beside = "it moves nothing, and lies between operators of the core"
    return tuple(
        OnCore(splitter.kinds[at], splitter.tensors[at], core[at].why if at in core else beside) for at in cut.operators
    )


def _sum(estimates: Sequence[Estimate]) -> Estimate:
    return Estimate(
        sum(one.cycles for one in estimates),
        estimates[0].clock_mhz,
        sum(one.sram_bytes for one in estimates),
        sum(one.flash_bytes for one in estimates),
    )
