# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.features import curves


def test_the_tables_of_the_runtime_are_those_that_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed = curves.FILE.read_text()
    monkeypatch.setattr(curves, "FILE", tmp_path / "curves.c")
    curves.main()
    assert (tmp_path / "curves.c").read_text() == committed
    assert capsys.readouterr().out.strip() == str(tmp_path / "curves.c")


NUMBERS = np.unique(
    np.concatenate([2.0 ** np.random.default_rng(0).uniform(0, 61, 5000), 2.0 ** np.arange(62)])
).astype(np.uint64)


def test_roots_are_right_to_nearly_fourteen_bits() -> None:
    found, wanted = curves.root(NUMBERS), np.sqrt(NUMBERS.astype(float))
    assert np.abs(found - wanted).max(initial=0, where=wanted < 1000) <= 1.0
    assert (np.abs(found - wanted) / wanted)[wanted > 1e5].max() < 2**-13.5
    assert curves.root(np.zeros(1, dtype=np.uint64)).tolist() == [0]


def test_logarithms_are_right_to_fifteen_bits() -> None:
    assert np.abs(curves.log2(NUMBERS) / 65536 - np.log2(NUMBERS.astype(float))).max() < 2**-14.5


def test_powers_undo_logarithms() -> None:
    exponents = np.arange(0, 31 * 65536, 1111)
    wanted = 2.0 ** (exponents / 65536)
    assert (np.abs(curves.exp2(exponents) - wanted) / wanted)[wanted > 1e5].max() < 2**-13.5
    assert curves.exp2(np.array([-1, 31 * 65536, 40 * 65536])).tolist() == [0, 1 << 31, 1 << 31]


def test_leading_zeros() -> None:
    values = np.array([0, 1, 2, 3, 1 << 31, (1 << 63) + 5], dtype=np.uint64)
    assert curves.leading_zeros(values).tolist() == [64, 63, 62, 62, 32, 0]
