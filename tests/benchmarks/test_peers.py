# SPDX-License-Identifier: Apache-2.0
"""What other runtimes need stands beside our own figures."""

from dimmer.benchmarks.count import (
    targets,
)
from dimmer.benchmarks.peers import TFLM_CMSIS_NN


def test_every_peer_is_one_of_our_targets() -> None:
    assert {target for _, target in TFLM_CMSIS_NN} <= set(targets())
