# SPDX-License-Identifier: Apache-2.0
"""A strided 1x1 convolution of fewer than 8 channels crashed the training: oneDNN wrote behind its buffer (AVX2)."""

from __future__ import annotations

import subprocess
import sys

from dimmer.pipeline.core.stage import ROOT

# In a process of its own: a corrupted heap ends it.
SCRIPT = """
import torch
from dimmer.pipeline.networks.families.resnet import Shortcut

torch.set_num_threads(1)
shortcut = Shortcut(4, 8, 2, skip_aware=True).train()
x = torch.randn(64, 4, 28, 28).contiguous(memory_format=torch.channels_last).requires_grad_()
for _ in range(20):
    shortcut(x, False).sum().backward()
print("trained")
"""


def test_a_narrow_shortcut_trains() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "trained\n", done.stderr


def test_pixels_picked_first_are_a_strided_convolution() -> None:
    import torch

    from dimmer.pipeline.networks.families.resnet import Shortcut

    torch.manual_seed(0)
    shortcut = Shortcut(8, 16, 2, skip_aware=False).eval()
    x = torch.randn(2, 8, 7, 9)
    torch.testing.assert_close(shortcut(x, False), shortcut.norm(shortcut.conv(x)))
