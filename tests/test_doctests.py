# SPDX-License-Identifier: Apache-2.0
"""The examples in docstrings say what happens."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.test_house import modules

WITH_EXAMPLES = sorted(name for name, path in modules().items() if ">>>" in path.read_text())


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
