# SPDX-License-Identifier: Apache-2.0
"""What other runtimes need stands beside our own figures."""

from dimmer.benchmarks.count import (
    targets,
)
from dimmer.benchmarks.peers import CMSIS_NN_4_BIT, TFLM_CMSIS_NN
from dimmer.pipeline.core.stage import ROOT


def test_every_peer_is_one_of_our_targets() -> None:
    assert {target for _, target in TFLM_CMSIS_NN} <= set(targets())


def test_four_bits_of_cmsis_nn_take_what_the_readme_says() -> None:
    m4 = [peer for (_, target), peer in CMSIS_NN_4_BIT.items() if target == "mps2-an386"]
    ratio = sum(peer.four for peer in m4) / sum(peer.eight for peer in m4)
    assert f"CMSIS-NN's 4-bit kernels take {ratio:.1f} times" in (ROOT / "README.md").read_text()
