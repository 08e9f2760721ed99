# SPDX-License-Identifier: Apache-2.0
"""What a variant of a kernel is, and how each layer gets the cheapest one that the target grants scratch for.

A variant computes what its portable kernel computes, bit for bit, on cores that have its features. It says for a step
whether it can, in which settings (such as channels per pass), and for each of them the scratch and the instructions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.steps import Scratch, Step, Value, Weights
from dimmer.firmware_gen.memory.offsets import aligned
from dimmer.firmware_gen.memory.share import Block, BlockSet
from dimmer.firmware_gen.variants.fuse import fuse_entries, fuse_sums
from dimmer.firmware_gen.variants.latency import FITTED, Latency, Products

Settings = Mapping[str, Value]
"""Fields of a variant's record that its portable kernel does not have."""


def _one_setting(_step: Step) -> Iterable[Settings]:
    return ({},)


def _always(_step: Step) -> bool:
    return True


def _own_scratch(step: Step, _settings: Settings) -> int:
    return step.scratch_bytes


def _no_products(_step: Step, _settings: Settings) -> Products:
    return Products()


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the steps of a portable kernel.

    Attributes:
        kernel: what runs; its record has the fields of `replaces` and those of the settings.
        replaces: the portable kernel, for which `lower.py` makes steps.
        features: what a core must have, names from `cores.FEATURES`.
        cost: of a step on a core of the latency `FITTED`, in what its module says: cycles, or instructions where these
            order kernels as cycles do.
        supports: whether the kernel computes this step exactly.
        settings: that are possible, each a mapping of additional fields.
        scratch: bytes.
        reorders: whether its weights lie in flash in an order of their own. A layer whose weights another mode slices,
            or runs with a variant that does not reorder them, does not get it: they would be stored twice.
        products: multiplications of a step, for cores where they take other times; none where its instruction set has
            them in one cycle.
    """

    kernel: Kernel
    replaces: Kernel
    features: frozenset[str]
    cost: Callable[[Step, Settings], float]
    supports: Callable[[Step], bool] = _always
    settings: Callable[[Step], Iterable[Settings]] = _one_setting
    scratch: Callable[[Step, Settings], int] = _own_scratch
    reorders: bool = False
    products: Callable[[Step, Settings], Products] = _no_products

    def cost_with(self, latency: Latency, step: Step, settings: Settings) -> float:
        """Its cost on a core of this latency."""
        return self.products(step, settings).cost(self.cost(step, settings), latency)

    def apply(self, step: Step, settings: Settings) -> Step:
        """The step as this variant runs it."""
        scratch = self.scratch(step, settings)
        values = {**step.fields, **settings, "scratch": Scratch() if scratch else 0}
        record = tuple(values.get(item.name, (0,) * item.count if item.count else 0) for item in self.kernel.fields)
        return replace(step, kernel=self.kernel, values=record, scratch_bytes=scratch)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant in one of its settings, for one layer.

    Attributes:
        instructions: as its cost model expects them.
    """

    kernel: str
    scratch: int
    instructions: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which kernel a layer got, and what else there was.

    Attributes:
        allowed: bytes of scratch that the layer might take.
        others: what is faster and needs more scratch, or is slower and needs less.
    """

    layer: str
    chosen: Candidate
    allowed: int
    others: tuple[Candidate, ...]


def choose(
    blocks: BlockSet,
    variants: Sequence[Variant],
    features: frozenset[str],
    scratch_limit: int | None,
    latency: Latency = FITTED,
) -> tuple[BlockSet, tuple[Choice, ...]]:
    """Gives every step the cheapest variant within `scratch_limit`, on a core of this latency.

    Bytes of the arena that are idle while a step runs, since other steps need more, are free: a step may take them
    beyond the limit.

    Raises:
        FirmwareGenError: a step has no variant that is small enough.
    """
    possible = [variant for variant in variants if variant.features <= features]
    in_order = set(_sliced_weights(blocks))
    while True:
        chosen, choices, stored = _chosen(blocks, possible, in_order, scratch_limit, latency)
        # One mode cannot do with the order that others would like: weights are stored once.
        both = {weights for weights, orders in stored.items() if len(orders) > 1} - in_order
        if not both:
            return chosen, choices
        in_order |= both


def _chosen(
    blocks: BlockSet,
    possible: Sequence[Variant],
    in_order: Set[Value],
    scratch_limit: int | None,
    latency: Latency,
) -> tuple[BlockSet, tuple[Choice, ...], Mapping[Value, Set[Value]]]:
    """As `choose`, where some weights have to lie as they are in the files.

    Returns:
        The steps, the choices, and of each layer's weights in the files how the chosen variants want them stored.
    """
    plain = [variant for variant in possible if not variant.reorders]

    def usable(step: Step) -> Sequence[Variant]:
        return plain if step.fields.get("weights") in in_order else possible

    def runs(step: Step) -> bool:
        return _runs(step, usable(step), scratch_limit)

    blocks = replace(blocks, blocks=tuple(fuse_entries(fuse_sums(block, runs), runs) for block in blocks.blocks))
    lives = [_live_bytes(block) for block in blocks.blocks]
    peak = max((live for block in lives for live in block), default=0)
    chosen: list[Block] = []
    choices: dict[tuple[str, Candidate], Choice] = {}
    stored: defaultdict[Value, set[Value]] = defaultdict(set)
    for block, live in zip(blocks.blocks, lives, strict=True):
        steps = []
        for step, taken in zip(block.steps, live, strict=True):
            allowed = None if scratch_limit is None else max(scratch_limit, peak - taken)
            best, choice = _cheapest(step, usable(step), allowed, latency)
            steps.append(best)
            weights = step.fields.get("weights")
            if isinstance(weights, Weights):
                stored[weights].add(best.fields["weights"])
            if choice is not None:
                choices[choice.layer, choice.chosen] = choice
        chosen.append(replace(block, steps=tuple(steps)))
    return replace(blocks, blocks=tuple(chosen)), tuple(choices.values()), stored


def _sliced_weights(blocks: BlockSet) -> frozenset[Value]:
    """Weights of which some mode uses slices."""
    steps = (step.fields for block in blocks.blocks for step in block.steps)
    return frozenset(fields["weights"] for fields in steps if fields.get("weight_bits", 8) not in (0, 8))


def _runs(step: Step, variants: Sequence[Variant], limit: int | None) -> bool:
    """Whether a step has a variant that fits the limit."""
    return any(
        limit is None or variant.scratch(step, settings) <= limit
        for variant in variants
        if variant.replaces == step.kernel and variant.supports(step)
        for settings in variant.settings(step)
    )


def _cheapest(
    step: Step, variants: Sequence[Variant], allowed: int | None, latency: Latency
) -> tuple[Step, Choice | None]:
    found: list[tuple[Candidate, Variant, Settings]] = []
    for variant in variants:
        if variant.replaces == step.kernel and variant.supports(step):
            for settings in variant.settings(step):
                scratch, cost = variant.scratch(step, settings), round(variant.cost_with(latency, step, settings))
                found.append((Candidate(variant.kernel.name, scratch, cost), variant, settings))
    fitting = [item for item in found if allowed is None or item[0].scratch <= allowed]
    needed = min((item[0].scratch for item in found), default=step.scratch_bytes)
    if not fitting and allowed is not None and needed > allowed:
        raise FirmwareGenError(
            f"{step.layer}: needs {needed} bytes of scratch, the limit is {allowed}; raise the limit or use smaller "
            "layers"
        )
    if not fitting:
        return step, None
    best, variant, settings = min(fitting, key=lambda item: (item[0].instructions, item[0].scratch))
    others = [
        candidate
        for candidate in dict.fromkeys(candidate for candidate, _, _ in found)
        if candidate != best
        and not any(
            other.instructions <= candidate.instructions and other.scratch <= candidate.scratch
            for other, _, _ in found
            if other != candidate
        )
    ]
    choice = Choice(step.layer, best, -1 if allowed is None else allowed, tuple(others))
    return variant.apply(step, settings), choice


def _live_bytes(block: Block) -> list[int]:
    """Bytes of tensors that are live in each step."""
    count = len(block.steps)
    first, last = [0] * len(block.sizes), [-1] * len(block.sizes)
    for number in range(count - 1, -1, -1):
        first[block.steps[number].writes] = number
    for number, step in enumerate(block.steps):
        for buffer in step.reads:
            last[buffer] = number
    last[block.output] = count - 1
    first[0] = 0
    live = []
    for number, step in enumerate(block.steps):
        taken = sum(
            aligned(size)
            for buffer, size in enumerate(block.sizes)
            if first[buffer] <= number <= max(last[buffer], first[buffer])
        )
        if first[step.writes] == number and any(last[source] == number for source in step.in_place):
            taken -= aligned(block.sizes[step.writes])
        live.append(taken)
    return live
