# SPDX-License-Identifier: Apache-2.0
"""`dimmer detect` says what it is for; what it finds is in the tutorial's test."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.test_cli import dimmer


def test_a_model_of_images_is_refused_in_one_line(tmp_path: Path) -> None:
    done = dimmer(tmp_path, "detect", "--model", "mnist5k-r14", "--target", "host")
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: mnist5k-r14: ")
    assert "detectors are for classes of recordings with [features]" in error
