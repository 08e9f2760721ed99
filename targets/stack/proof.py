# SPDX-License-Identifier: Apache-2.0
"""The most stack that a function and all that it calls can take: the longest way through the call graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dimmer.targets.stack import riscv, thumb
from dimmer.targets.stack.frames import Frame, Semantics, frame_of
from dimmer.targets.stack.program import ARM, RISCV, Program, UnprovenError

SEMANTICS: Mapping[str, Semantics] = {ARM: thumb.step, RISCV: riscv.step}

Resolver = Callable[[int], Sequence[int]]
"""Place of a call through a pointer -> the functions that it can be.

Raises:
    UnprovenError: nobody knows.
"""


@dataclass(frozen=True)
class Depth:
    """What a function can take with all that it calls.

    Attributes:
        bytes: of stack, from where its caller's stands.
        path: the functions that take so much, the first one first.
    """

    bytes: int
    path: tuple[str, ...]


@dataclass
class Prover:
    """Proofs of one program, each function looked at once.

    Attributes:
        resolve: who a call through a pointer can reach.
    """

    program: Program
    resolve: Resolver
    _frames: dict[int, Frame] = field(default_factory=dict)
    _proven: dict[int, Depth] = field(default_factory=dict)

    def frame(self, start: int) -> Frame:
        """The frame of the function that begins at a place.

        Raises:
            UnprovenError: as `frame_of`.
        """
        if start not in self._frames:
            self._frames[start] = frame_of(self.program, SEMANTICS[self.program.machine], start)
        return self._frames[start]

    def depth(self, start: int, above: tuple[int, ...] = ()) -> Depth:
        """What the function that begins at a place can take.

        Args:
            above: the functions that called it.

        Raises:
            UnprovenError: it has no bound, or none that is known; the message says why.
        """
        if start in self._proven:
            return self._proven[start]
        if start in above:
            circle = (*above[above.index(start) :], start)
            raise UnprovenError(f"recursion: {' calls '.join(map(self.program.name_of, circle))}")
        frame = self.frame(start)
        name = self.program.name_of(start)
        most = Depth(frame.depth, (name,))
        for call in frame.calls:
            for target in [call.target] if call.target is not None else self.resolve(call.address):
                inner = self.depth(target, (*above, start))
                if call.depth + inner.bytes > most.bytes:
                    most = Depth(call.depth + inner.bytes, (name, *inner.path))
        self._proven[start] = most
        return most
