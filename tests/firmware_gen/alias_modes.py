# SPDX-License-Identifier: Apache-2.0
"""Modes whose blocks are random graphs of slices, splits and concatenations, between boundaries that they share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.alias_cases import Tangle
from tests.firmware_gen.harness import Case, edge_inputs
from tests.firmware_gen.move_cases import pick, size
from tests.firmware_gen.tflite_builder import Layers, pack

BLOCKS = 3
Variants = tuple[int | None, ...]
"""For each block which of its graphs a mode runs; None where it is skipped."""


class Stream(Layers):
    """Layers between boundaries; all convolutions read the same weights, as those of modes do."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seed = seed
        self.rows = size(self, 2, 5)
        self.width, self.depth = pick(self, (1, 4), (2, 4), (1, 3), (2, 8))

    def pointwise(self, x: int, output: int) -> int:
        """A convolution with the weights that all have."""
        kept, self.random = self.random, np.random.default_rng(self.seed)
        made = self.conv(x, self.depth, (1, 1), output=output)
        self.random = kept
        return made

    def boundary(self, name: str) -> int:
        return self.activation([1, self.rows, self.width, self.depth], 0.05, 3, name)

    def block(self, x: int, position: int, variant: int) -> int:
        """One of the graphs of a position."""
        self.random = np.random.default_rng([self.seed, position, variant])
        made = Block(self, x)
        steps = (made.joined, made.split, made.slice, made.unpacked, made.summed, made.computed)
        before = len(self.operators)
        while len(self.operators) < before + 6 and made.rows(made.made[-1]) < 30:
            pick(self, *steps, made.joined, made.split, made.computed)()
        return made.ended(self.boundary(f"block_{position}"))


class Block(Tangle):
    """A tangle with one input, that ends in the tensor of a boundary."""

    def __init__(self, net: Stream, x: int) -> None:
        self.net: Stream = net
        self.width, self.depth = net.width, net.depth
        self.inputs, self.made, self.read = [x], [x], set()

    def tensor(self, rows: int) -> int:
        return self.net.activation([1, rows, self.width, self.depth], 0.05, 3, self.net.name("t"))

    def computed(self) -> None:
        x = self.any()
        made = self.tensor(self.rows(x))
        kind = pick(self.net, "conv", "conv", "HARD_SWISH", "RELU")
        if kind == "conv":
            self.net.pointwise(x, made)
        else:
            self.net.operator(kind, [x], made)
        self.put(made)

    def ended(self, output: int) -> int:
        """The output: a slice, a concatenation, or a sum with what came in."""
        while sum(map(self.rows, self.made[1:])) <= self.net.rows:
            self.joined()
        late = self.made[-1]
        rows = self.rows(late)
        if rows > self.net.rows:
            ends = [self.net.constant("begin", [0, size(self.net, 0, rows - self.net.rows), 0, 0])]
            ends += [self.net.constant("size", [1, self.net.rows, -1, -1])]
            made = self.net.operator("SLICE", [late, *ends], self.tensor(self.net.rows))
        elif rows < self.net.rows:
            ends = [self.net.constant("begin", [0, 0, 0, 0])]
            ends += [self.net.constant("size", [1, self.net.rows - rows, -1, -1])]
            rest = self.net.operator("SLICE", [self.inputs[0], *ends], self.tensor(self.net.rows - rows))
            parts = pick(self.net, [late, rest], [rest, late])
            made = self.net.operator("CONCATENATION", parts, self.tensor(self.net.rows), axis=1)
        else:
            made = self.net.operator("RELU", [late], self.tensor(self.net.rows))
        kind = pick(self.net, "as it is", "ADD", "ADD")
        if kind == "ADD":
            a, b = pick(self.net, (made, self.inputs[0]), (self.inputs[0], made))
            return self.net.elementwise("ADD", a, b, "NONE", output)
        # The last operator's own result is the boundary.
        self.net.operators[-1].outputs = [output]
        return output


def built(seed: int, variants: Sequence[int | None]) -> tuple[bytes, tuple[str, ...]]:
    """A file, and the names of its boundaries."""
    net = Stream(seed)
    x = net.activation([1, net.rows, net.width, net.depth], 0.05, 3, "x")
    y = net.pointwise(x, net.boundary("stem"))
    boundaries = ["stem"]
    for position, variant in enumerate(variants):
        if variant is not None:
            y = net.block(y, position, variant)
        boundaries.append(net.tensors[y].name)
    half = net.operator("RELU", [y], net.boundary("head"))
    return pack(net.model([x], [half])), tuple(boundaries)


def modes_of(seed: int) -> tuple[Variants, ...]:
    """Three modes, the first of which runs every block."""
    random = np.random.default_rng([seed, 99])
    others = [tuple(None if n == 2 else int(n) for n in random.integers(0, 3, BLOCKS)) for _ in range(2)]
    return (0,) * BLOCKS, *others


def written(folder: Path, seed: int) -> tuple[ModeSource, ...]:
    """The modes' files."""
    sources = []
    for number, variants in enumerate(modes_of(seed)):
        data, boundaries = built(seed, variants)
        path = folder / f"mode_{seed}_{number}.tflite"
        path.write_bytes(data)
        sources.append(ModeSource(f"m{number}", path, boundaries))
    return tuple(sources)


def plans_of(seed: int, count: int) -> list[tuple[int, ...]]:
    """Mode ids at each position, `count` of all that there are; the whole modes first."""
    plans = list(itertools.product(range(3), repeat=BLOCKS + 2))
    chosen = np.random.default_rng([seed, 7]).permutation(len(plans))[: max(count - 3, 0)]
    return [*((mode,) * (BLOCKS + 2) for mode in range(3)), *(plans[at] for at in chosen)][:count]


def switching(folder: Path, seed: int, count: int, core: str = "") -> tuple[Case, list[tuple[Path, bytes]]]:
    """A case that changes its mode within inferences, and for each of these the file that runs the same blocks."""
    modes = written(folder, seed)
    variants, plans = modes_of(seed), plans_of(seed, count)
    data = edge_inputs(modes[0].path, count, seed)
    length = len(data) // (count + 6)
    jobs = []
    for number, plan in enumerate(plans):
        path = folder / f"spliced_{seed}_{number}.tflite"
        path.write_bytes(built(seed, [variants[mode][at] for at, mode in enumerate(plan[1:-1])])[0])
        jobs.append((path, data[(6 + number) * length : (7 + number) * length]))
    return Case(f"modes_{seed}", modes[0].path, b"".join(one for _, one in jobs), modes, tuple(plans), core), jobs
