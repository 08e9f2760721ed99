# SPDX-License-Identifier: Apache-2.0
"""What the package itself has."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dimmer
from dimmer.pipeline.core.closure import ROOT


def test_the_python_api_is_found_when_it_is_asked_for() -> None:
    from dimmer.pipeline import hosted

    assert dimmer.load is hosted.load
    assert dimmer.Model is hosted.Model
    with pytest.raises(AttributeError, match="module 'dimmer' has no attribute 'lamp'"):
        _ = dimmer.lamp


def test_importing_the_package_brings_nothing_else() -> None:
    script = "import sys, dimmer; print([name for name in sys.modules if name.startswith(('dimmer.', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
