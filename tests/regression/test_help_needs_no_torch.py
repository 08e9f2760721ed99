# SPDX-License-Identifier: Apache-2.0
"""`--help` and completion of three verbs asked for torch, which a user of .tflite files does not have."""

from __future__ import annotations

import subprocess
import sys

from dimmer.pipeline.core.verbs import VERBS

SCRIPT = """
import importlib, sys
for name in ("torch", "tensorflow", "onnx", "onnx2tf", "tvm", "ai_edge_quantizer", "mlxtend", "PIL"):
    sys.modules[name] = None
for name in sys.argv[1:]:
    assert callable(importlib.import_module(f"dimmer.pipeline.{name}").main)
    print(name)
"""


def test_every_verb_can_be_asked_without_the_packages_that_train_and_convert() -> None:
    modules = [entry.module for entry in VERBS.values()]
    assert len(modules) > 30
    done = subprocess.run([sys.executable, "-c", SCRIPT, *modules], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == modules
