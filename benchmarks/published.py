# SPDX-License-Identifier: Apache-2.0
"""What other stacks need for MLPerf Tiny's networks, in cycles: clock times published time, on real boards.

Quoted, not repeated here: the clock of the board times the median time of submissions to MLPerf Tiny
(github.com/mlcommons/tiny_results_v1.0 to v1.3, performance/results.txt). The wait states of a board's flash are in its
cycles; U575 and U385 take the same cycles at 160 and 96 MHz, so theirs have none. muRISCV-NN was simulated on Ibex's
RTL with gcc 12.2 -O2, convolutions only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MODELS: Mapping[str, str] = {
    "pretrainedResnet_quant": "IC",
    "kws_ref_model": "KWS",
    "random_visual_wake_words": "VWW",
    "random_anomaly_detection": "AD",
}
"""Our file -> the benchmark's name; VWW and AD have the benchmark's architecture and random weights."""


@dataclass(frozen=True)
class Published:
    """One stack on one board.

    Attributes:
        core: as the compiler calls it; of cores that are simulated from RTL the target's name.
        round: of MLPerf Tiny, with its year where it is the newest; or where else it is from.
        megacycles: benchmark -> million cycles of one inference.
    """

    core: str
    board: str
    stack: str
    round: str
    megacycles: Mapping[str, float]


PUBLISHED = (
    Published(
        "cortex-m4",
        "NUCLEO-L4R5ZI, 120 MHz, 5 wait states",
        "X-CUBE-AI 10.2",
        "v1.3, 2025",
        {"IC": 19.88, "KWS": 5.21, "VWW": 10.73, "AD": 0.575},
    ),
    Published(
        "cortex-m4",
        "NUCLEO-L4R5ZI, 120 MHz, 5 wait states",
        "Plumerai 2023.05",
        "v1.1",
        {"IC": 20.13, "KWS": 5.73, "VWW": 11.85, "AD": 0.486},
    ),
    Published(
        "cortex-m4",
        "NUCLEO-L4R5ZI, 120 MHz, 5 wait states",
        "Bosch HALE 1.0",
        "v1.2",
        {"IC": 21.66, "KWS": 7.22, "VWW": 21.66},
    ),
    Published(
        "cortex-m4",
        "NUCLEO-L4R5ZI, 120 MHz, 5 wait states",
        "microTVM + CMSIS-NN",
        "v1.0",
        {"IC": 46.75, "KWS": 11.98, "VWW": 36.14},
    ),
    Published(
        "cortex-m33",
        "U575 160 MHz, U385 96 MHz",
        "X-CUBE-AI 10.2",
        "v1.3, 2025",
        {"IC": 17.52, "KWS": 4.64, "VWW": 9.48, "AD": 0.514},
    ),
    Published(
        "cortex-m33",
        "U575, 160 MHz",
        "Plumerai 2023.05",
        "v1.1",
        {"IC": 16.69, "KWS": 4.81, "VWW": 9.52, "AD": 0.588},
    ),
    Published(
        "cortex-m33", "nRF5340, 128 MHz", "microTVM + CMSIS-NN", "v1.0", {"IC": 40.47, "KWS": 9.74, "VWW": 29.70}
    ),
    Published("cortex-m7", "H7A3, 280 MHz", "X-CUBE-AI 9", "v1.2", {"IC": 11.44, "KWS": 3.17, "VWW": 6.67}),
    Published(
        "cortex-m7",
        "F746, 216 MHz",
        "Plumerai 2023.05",
        "v1.1",
        {"IC": 13.58, "KWS": 3.83, "VWW": 7.36, "AD": 0.369},
    ),
    Published("cortex-m0plus", "G0B1, 64 MHz", "Bosch HALE", "v1.2", {"IC": 97.4, "KWS": 30.4, "VWW": 90.5}),
    Published("ibex-maxperf", "RTL", "muRISCV-NN 4eb6a1f", "simulated, 2026", {"IC": 55.70, "KWS": 15.95}),
)
"""Every stack that is quoted, those that are faster than ours included."""


def published_for(model: str, target: str, core: str) -> Iterator[tuple[Published, float]]:
    """What is published for a model on a core, with its million cycles, the fastest first."""
    benchmark = MODELS.get(model)
    found = [
        (entry, entry.megacycles[benchmark])
        for entry in PUBLISHED
        if entry.core in (target, core) and benchmark is not None and benchmark in entry.megacycles
    ]
    yield from sorted(found, key=lambda item: item[1])
