# SPDX-License-Identifier: Apache-2.0
"""Whoever installed the package was sent to ./nox, which is in a checkout alone."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "targets", "dimmer", "firmware_gen", "calibration", "benchmarks")
# Of checkouts: what a Python without packages says there, and pages that are made there.
OF_CHECKOUTS = {"dimmer/endings.py", "pipeline/reporting/experiments/claims.py"}


def sentences(path: Path) -> list[str]:
    """Texts of a module, but for its docstrings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


def test_no_message_sends_one_to_nox() -> None:
    found = {
        str(path.relative_to(ROOT)): text
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in sentences(path)
        if "./nox" in text
    }
    assert set(found) <= OF_CHECKOUTS, found
