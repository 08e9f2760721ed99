# SPDX-License-Identifier: Apache-2.0
"""A build whose stages all stand took five seconds, two of them to load torch for nothing."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "tensorflow", "tvm", "onnx", "onnxruntime", "pandas", "matplotlib", "scipy")


def test_the_verbs_of_a_build_load_nothing_heavy_before_they_have_work() -> None:
    verbs = ("build", "train", "calibrate", "export", "convert", "firmware", "verify", "jetson", "tvm_module")
    modules = [f"dimmer.pipeline.{verb}" for verb in verbs]
    modules += ["dimmer.pipeline.reporting.report", "dimmer.pipeline.reporting.summary"]
    script = f"import {', '.join(modules)}, sys\nprint(*({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
