# SPDX-License-Identifier: Apache-2.0
"""What is proven of functions whose frames are known, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets.stack.program import UnprovenError
from tests.targets.stack.programs import CORES, Proofs, linked

KNOWN = r"""
void touch(volatile char *p, unsigned n);
int leaf(int a);
int middle(int a);
int top(int a);
int tail(int a);
int large(int a);
int pointed(int (*f)(int), int a);
int fibonacci(int n);
int even(unsigned n);
int odd(unsigned n);
int variable(unsigned n);
int chosen(unsigned n);
int divided(int a, int b);
void start(void);

#define NOT_COPIED __attribute__((noinline, noipa))

NOT_COPIED void touch(volatile char *p, unsigned n) { p[n] = 1; }
NOT_COPIED int leaf(int a) { volatile char local[96]; local[a] = 1; return local[a + 1]; }
NOT_COPIED int middle(int a) { volatile char local[200]; local[a] = 1; return leaf(a) + local[a]; }
NOT_COPIED int top(int a) { return middle(a) + leaf(a + 1) + 1; }
NOT_COPIED int tail(int a) { { volatile char local[40]; touch(local, (unsigned)a); } return middle(a); }
NOT_COPIED int large(int a) { volatile char local[70000]; local[a] = 1; return local[a + 1]; }
NOT_COPIED int pointed(int (*f)(int), int a) { volatile char local[32]; local[a] = 1; return f(a) + local[a]; }
NOT_COPIED int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
NOT_COPIED int even(unsigned n) { volatile int one = 1; return n == 0u ? 1 : odd(n - 1u) + one; }
NOT_COPIED int odd(unsigned n) { volatile int one = 1; return n == 0u ? 0 : even(n - 1u) + one; }
NOT_COPIED int variable(unsigned n) { volatile char local[n]; touch(local, 0); return local[0]; }
NOT_COPIED int chosen(unsigned n) {
    switch (n) {
    case 0: return leaf(3);
    case 1: return leaf(5) + 1;
    case 2: return middle(3) * 2;
    case 3: return leaf(1) + 9;
    case 4: return middle(3) / 3;
    case 5: return leaf(4) - 2;
    case 6: return leaf(6) ^ 5;
    default: return 0;
    }
}
NOT_COPIED int divided(int a, int b) { return a / b; }
void start(void) {
    static volatile int sum;
    sum = top(1) + tail(2) + large(3) + pointed(leaf, 1) + fibonacci(sum);
    sum += even((unsigned)sum) + variable((unsigned)sum);
    sum += chosen((unsigned)sum) + divided(sum, sum);
    for (;;) {}
}
"""

pytestmark = [pytest.mark.board, pytest.mark.board("riscv-virt")]

FLAGS = {"O2": ("-O2",), "O0": ("-O0",), "Os": ("-Os",), "O1, frame pointers": ("-O1", "-fno-omit-frame-pointer")}
MOST_SAVED = 64
"""Bytes that a function saves beside its variables, at most."""


DEFAULT = ("cortex-m4", "rv32imac")


@pytest.fixture(scope="module", params=[c if c in DEFAULT else pytest.param(c, marks=pytest.mark.slow) for c in CORES])
def core(request: pytest.FixtureRequest) -> str:
    """One of each instruction set by default."""
    return str(request.param)


@pytest.fixture(
    scope="module", params=["O2", *(pytest.param(name, marks=pytest.mark.slow) for name in FLAGS if name != "O2")]
)
def known(core: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    """The program above."""
    folder = tmp_path_factory.mktemp("known")
    return Proofs.of(linked(folder, core, KNOWN, FLAGS[request.param]), core, {"pointed": ("leaf", "middle")})


def test_frames_are_their_variables_and_what_is_saved(known: Proofs) -> None:
    for name, variables in {"leaf": 96, "middle": 200, "top": 0, "large": 70_000, "pointed": 32}.items():
        assert variables <= known.frame(name) <= variables + MOST_SAVED, name


def test_depths_add_up_along_the_deepest_way(known: Proofs) -> None:
    assert known["middle"] == known.frame("middle") + known["leaf"]
    assert known.depth("top").path == ("top", "middle", "leaf")
    assert known["top"] == known.frame("top") + known["middle"]
    assert known.depth("pointed").path == ("pointed", "middle", "leaf")
    assert known["pointed"] == known.frame("pointed") + known["middle"]


def test_a_jump_into_another_function_keeps_what_is_left_on_the_stack(known: Proofs) -> None:
    assert known["middle"] <= known["tail"] <= known["middle"] + 40 + 2 * MOST_SAVED


def test_every_case_of_a_switch_is_followed(known: Proofs) -> None:
    assert known.depth("chosen").path[-2:] == ("middle", "leaf")
    # Were half an address a place to jump to, the function would push again behind it.
    assert known["middle"] < known["chosen"] <= known["middle"] + 32


def test_the_compilers_own_functions_count(known: Proofs) -> None:
    assert 0 <= known["divided"] <= 4 * MOST_SAVED


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fibonacci", "recursion: fibonacci calls fibonacci"),
        ("even", r"recursion: (even calls odd calls even|odd calls even calls odd)"),
        ("variable", r"variable moves the stack pointer by what is not known before it runs at 0x\w+ \("),
        ("start", "recursion|moves the stack pointer"),
    ],
)
def test_what_has_no_bound_is_told(known: Proofs, name: str, why: str) -> None:
    with pytest.raises(UnprovenError, match=why):
        known.depth(name)


def test_a_pointer_that_nobody_knows(core: str, tmp_path: Path) -> None:
    proofs = Proofs.of(linked(tmp_path, core, KNOWN), core)
    with pytest.raises(UnprovenError, match=r"pointed\+0x\w+ calls through a pointer, and nothing says whom"):
        proofs.depth("pointed")
    assert proofs["top"] > 296, "what does not call it is proven all the same"
