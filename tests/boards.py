# SPDX-License-Identifier: Apache-2.0
"""Targets as parameters of tests: emulated boards are marked, and skipped where their tools are absent."""

import pytest

from dimmer.targets import load_target, target_names

BOARDS = [name for name in target_names() if load_target(name).memory is not None]
BOARD_PARAMS = [pytest.param(name, marks=pytest.mark.board(name)) for name in BOARDS]
EVERY_TARGET = [pytest.param("host"), *BOARD_PARAMS]
