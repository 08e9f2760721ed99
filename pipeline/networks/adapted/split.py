# SPDX-License-Identifier: Apache-2.0
"""Stages of a probed network, each cut into a mandatory and a skippable sub-path, and the table that shows them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import NetworkCost, depth_patterns
from dimmer.pipeline.networks.adapted.probe import Call, Probed

GROUPS = 4
"""Stages that a network whose blocks are all alike is cut into, as ViT-B is by Kang & Lee (2024)."""

MOST_ROWS = 64


@dataclass(frozen=True)
class Stage:
    """Consecutive blocks over one shape.

    Attributes:
        blocks: names of the modules, in the order of execution.
        mandatory: how many of them, the first ones, are always executed.
        macs: multiply-accumulates of each block.
        given: shape of the first block's input, without the batch.
        made: shape of the stage's output, without the batch.
        norms: names of norms outside of all blocks that follow its sub-path, and have twins.
    """

    blocks: tuple[str, ...]
    mandatory: int
    macs: tuple[int, ...]
    given: tuple[int, ...]
    made: tuple[int, ...]
    norms: tuple[str, ...] = ()

    @property
    def skippable(self) -> int:
        """How many blocks, the last ones, can be skipped."""
        return len(self.blocks) - self.mandatory


@dataclass(frozen=True)
class Split:
    """A network's stages.

    Attributes:
        stages: in the order of execution; of each a block or more can be skipped.
        fixed: multiply-accumulates that no block of a stage has.
        outer_twins: whether norms before the first stage and behind the last have twins, too.
    """

    stages: tuple[Stage, ...]
    fixed: int
    outer_twins: bool = False

    @property
    def mandatory(self) -> tuple[int, ...]:
        """Mandatory blocks of each stage."""
        return tuple(stage.mandatory for stage in self.stages)

    @property
    def skippable(self) -> tuple[int, ...]:
        """Skippable blocks of each stage."""
        return tuple(stage.skippable for stage in self.stages)

    def cost(self) -> NetworkCost:
        """Multiply-accumulates by part."""
        return NetworkCost(self.fixed, tuple(stage.macs for stage in self.stages))

    def table(self) -> str:
        """Stages and modes as a person reads them."""
        cost = self.cost()
        lines = [f"{'stage':>5}  {'mandatory':<34}{'skippable':<34}{'input -> output':<24}{'MMAC':>9}"]
        for number, stage in enumerate(self.stages):
            paths = [_names(stage.blocks[: stage.mandatory]), _names(stage.blocks[stage.mandatory :])]
            shapes = f"{_shape(stage.given)} -> {_shape(stage.made)}"
            lines.append(f"{number:>5}  {paths[0]:<34}{paths[1]:<34}{shapes:<24}{sum(stage.macs) / 1e6:>9.2f}")
        modes = depth_patterns(self.mandatory, self.skippable)
        top = modes[0].macs(cost)
        lines += ["", f"{'mode':<{len(str(modes[0]))}}  {'MMAC':>9}  share"]
        shown = modes if len(modes) <= MOST_ROWS else (*modes[: MOST_ROWS - 1], modes[-1])
        if len(shown) < len(modes):
            lines[-1] += f"   ({MOST_ROWS} of {len(modes)} modes)"
        lines += [f"{mode!s}  {mode.macs(cost) / 1e6:>9.2f}  {mode.macs(cost) / top:>5.2f}" for mode in shown]
        return "\n".join(lines)


def keys_of(split: Split) -> dict[str, tuple[int, ...] | tuple[str, ...] | int | bool]:
    """What `AdaptedConfig` says of a split."""
    stages = split.stages
    return {
        "mandatory": split.mandatory,
        "skippable": split.skippable,
        "blocks": tuple(name for stage in stages for name in stage.blocks),
        "widths": tuple(_channels(stage.made) for stage in stages),
        "macs": tuple(macs for stage in stages for macs in stage.macs),
        "fixed_macs": split.fixed,
        "entry_channels": tuple(_channels(stage.given) for stage in stages),
        "entry_pixels": tuple(math.prod(stage.given) // _channels(stage.given) for stage in stages),
        "outer_twins": split.outer_twins,
    }


def _channels(shape: tuple[int, ...]) -> int:
    """Of an image [C,H,W]; the features of tokens [N,C] or of [H,W,C], as Swin has them, stand last."""
    return shape[0] if len(shape) == 3 else shape[-1]


def _names(blocks: Sequence[str]) -> str:
    """The first and the end of the last: "features.2 .. 3"."""
    if len(blocks) == 1:
        return blocks[0]
    return f"{blocks[0]} .. {blocks[-1].rpartition('.')[2]}"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def mandatory_of(blocks: int) -> int:
    """How many blocks of a stage are mandatory: half of them, rounded up, and one less than all."""
    return min(blocks - 1, (blocks + 1) // 2)


def find_split(probed: Probed, groups: int | None = None) -> Split:
    """The stages that the probe shows.

    A stage is a run of residual blocks, one behind the other among the modules of one parent, over one shape; the
    module before it belongs to it if it is of the same class and gives that shape: the block that changes it.

    Args:
        groups: stages that a network with a single one is cut into; by default up to `GROUPS`, as even ones of two
            blocks or more.

    Raises:
        DimmerError: there is nothing to skip, with the reason; or the groups do not divide the blocks.
    """
    runs = _runs(probed)
    if len(runs) == 1 and (groups is not None or len(runs[0]) > 1):
        runs = _grouped(runs[0], groups)
    elif groups is not None:
        raise DimmerError(f"--groups is for networks with a single stage; this one has {len(runs)}")
    runs = [run for run in runs if len(run) > 1]
    if not runs:
        raise DimmerError(_nothing_to_skip(probed))
    return make_split(probed, runs, [mandatory_of(len(run)) for run in runs])


def make_split(probed: Probed, runs: Sequence[Sequence[str]], mandatory: Sequence[int]) -> Split:
    """A split of given blocks.

    Raises:
        DimmerError: a block is no module of the network's, or one to be skipped does not pass its input on.
    """
    _check_runs(probed, runs, mandatory)
    stages = []
    for run, first in zip(runs, mandatory, strict=True):
        for position, name in enumerate(run):
            call = probed.calls.get(name)
            if call is None:
                raise DimmerError(f"the network calls no module '{name}' with a tensor; see its named_modules()")
            if call.again:
                raise DimmerError(
                    f"block '{name}' is called {call.again + 1} times; only what is called once can be one"
                )
            if position >= first and not call.passes:
                raise DimmerError(
                    f"block '{name}' cannot be skipped: without its parameters it does not pass its input"
                )
        shapes = {probed.calls[name].given for name in run[first:]} | {probed.calls[run[max(first, 1) - 1]].made}
        if len(shapes) > 1:
            raise DimmerError(f"what enters the blocks of a stage behind '{run[0]}' has several shapes; cut them there")
        ends = probed.calls[run[0]], probed.calls[run[-1]]
        macs = tuple(probed.calls[name].macs for name in run)
        stages.append(Stage(tuple(run), first, macs, ends[0].given[1:], ends[1].made[1:]))
    outer = _alone(probed, stages)
    norms = _norms(probed, stages, outer)
    stages = [replace(stage, norms=own) for stage, own in zip(stages, norms, strict=True)]
    return Split(tuple(stages), probed.macs - sum(sum(stage.macs) for stage in stages), outer)


def _check_runs(probed: Probed, runs: Sequence[Sequence[str]], mandatory: Sequence[int]) -> None:
    """Whether stages are lists of blocks, in the order in which they run, none in another.

    Raises:
        DimmerError: they are not.
    """
    if not probed.macs:
        raise DimmerError(
            "no multiply-accumulate of the network can be counted, so its modes have no cost; does it run under "
            "torch.inference_mode?"
        )
    counts = [count for count in mandatory if isinstance(count, int)] if not isinstance(mandatory, int | str) else []
    if not runs or not all(isinstance(run, list | tuple) and run for run in runs):
        raise DimmerError("stages must be lists of names of blocks, one a stage, none of them empty")
    if len(counts) != len(runs) or len(counts) != len(mandatory):
        raise DimmerError(f"mandatory must be a list of {len(runs)} whole numbers, one a stage")
    order = {name: place for place, name in enumerate(probed.calls)}
    names = [name for run in runs for name in run]
    for before, name in pairwise(name for name in names if name in order):
        if order[name] <= order[before] or name.startswith(f"{before}.") or before.startswith(f"{name}."):
            raise DimmerError(
                f"block '{name}' does not run behind '{before}'; name each block once, in the order in which they run"
            )


def _alone(probed: Probed, stages: Sequence[Stage]) -> bool:
    """Whether a block of the stages' class stands outside of them, as a stage of its own has in MobileNetV2: there the
    code of Kang & Lee (2024) has twins of all norms.
    """
    blocks = {name for stage in stages for name in stage.blocks}
    kinds = {probed.calls[name].kind for name in blocks}
    outside = [call for call in probed.calls.values() if call.kind in kinds and not _inside(call.name, blocks)]
    return any(not any(_inside(name, {call.name}) for name in blocks) for call in outside)


def _inside(name: str, blocks: Collection[str]) -> bool:
    """Whether a module is one of some blocks, or in one."""
    return any(name == block or name.startswith(f"{block}.") for block in blocks)


def _norms(probed: Probed, stages: Sequence[Stage], outer: bool) -> list[tuple[str, ...]]:
    """Of each stage the norms between it and the one before; those before the first and behind the last where `outer`
    says so.
    """
    order = {name: place for place, name in enumerate(probed.calls)}
    blocks = {name for stage in stages for name in stage.blocks}
    found: list[list[str]] = [[] for _ in stages]
    for call in probed.calls.values():
        if not call.is_norm or call.again or _inside(call.name, blocks):
            continue
        ahead = [s for s, stage in enumerate(stages) if order[call.name] < order[stage.blocks[stage.mandatory - 1]]]
        if outer or (ahead and ahead[0]):
            found[ahead[0] if ahead else -1].append(call.name)
    return [tuple(names) for names in found]


def _runs(probed: Probed) -> list[list[str]]:
    runs: list[list[str]] = []
    order = list(probed.calls)
    for name in probed.blocks:
        before = _before(order, name)
        same = before is not None and probed.calls[before].made == probed.calls[name].made
        if same and runs and runs[-1][-1] == before and not _between(probed, order, before, name):
            runs[-1].append(name)
        elif same and before is not None and _leads(probed.calls[before], probed.calls[name]):
            runs.append([before, name])
        else:
            runs.append([name])
    return runs


def _between(probed: Probed, order: Sequence[str], before: str, name: str) -> bool:
    """Whether something with a cost or a norm runs between two blocks: it is no part of the one that can be skipped."""
    others = order[order.index(before) + 1 : order.index(name)]
    return any(
        probed.calls[other].macs or probed.calls[other].is_norm
        for other in others
        if not other.startswith(f"{name}.") and not before.startswith(f"{other}.")
    )


def _leads(before: Call, block: Call) -> bool:
    return before.kind is block.kind and not before.again


def _before(order: Sequence[str], name: str) -> str | None:
    """The module of the same parent that was called before."""
    parent = name.rpartition(".")[0]
    siblings = [other for other in order[: order.index(name)] if other.rpartition(".")[0] == parent]
    return siblings[-1] if siblings else None


def _grouped(run: list[str], groups: int | None) -> list[list[str]]:
    if groups is None:
        groups = next((g for g in range(GROUPS, 1, -1) if len(run) % g == 0 and len(run) // g > 1), 1)
    if groups < 1 or len(run) % groups or len(run) // groups < 2:
        raise DimmerError(f"{len(run)} blocks are not {groups} stages of two or more each; give another --groups")
    size = len(run) // groups
    return [run[start : start + size] for start in range(0, len(run), size)]


def _nothing_to_skip(probed: Probed) -> str:
    if probed.blocks:
        alone = ", ".join(probed.blocks[:4])
        return (
            f"nothing can be skipped: each residual block ({alone}) is the only one of its shape, and a stage needs "
            f"one that stays"
        )
    unseen = ""
    if probed.unseen:
        some = ", ".join(probed.unseen[:4])
        unseen = f" (not looked at, since they are not called with a tensor first, or give no tensor: {some})"
    return (
        "nothing can be skipped: no module passes its input on when its parameters are zero, so there is no identity "
        f"path; blocks x + f(x) are needed{unseen}"
    )
