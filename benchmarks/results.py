# SPDX-License-Identifier: Apache-2.0
"""results.json: every figure of a run beside the bound and the peer, and its plot."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.benchmarks.bound import bound
from dimmer.benchmarks.count import Count, Layer, Measured
from dimmer.benchmarks.peers import TFLM_CMSIS_NN, Peer
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting.plots import PAPER
from dimmer.targets import load_target

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESULTS = Path(__file__).resolve().parent / "results.json"
PLOT = RESULTS.with_name("instructions.svg")
OURS, PEER, FLOOR = "#d9690f", "#b5aea3", "#1f1d1a"
CORES = {
    "cortex-m0plus": "M0+",
    "cortex-m3": "M3",
    "cortex-m4": "M4",
    "cortex-m7": "M7",
    "cortex-m33": "M33",
    "cortex-m55": "M55",
    "rv32imac": "RV32",
}
"""How the plot calls a core, in the order in which it stands there."""


@dataclass(frozen=True)
class Result:
    """One mode of a model on one target.

    Attributes:
        layers: steps in the order in which they run.
        bound: instructions of the multiply-accumulates alone.
        peer: TFLite-Micro with CMSIS-NN, where somebody counted it.
    """

    model: str
    mode: str
    target: str
    core: str
    count: Count
    layers: tuple[Layer, ...]
    bound: int
    peer: Peer | None

    @property
    def ratio(self) -> float | None:
        """Instructions beside the peer's."""
        return None if self.peer is None else self.count.instructions / self.peer.instructions


@dataclass(frozen=True)
class HostTime:
    """One engine on one model.

    Attributes:
        microseconds: of one inference, the median of the turns; None where the engine does not run the model.
        ratio: its time over ours, the median of the turns' ratios; None as above.
        exact: whether its output is ours, bit for bit; None as above.
        note: why there is no figure.
    """

    model: str
    engine: str
    microseconds: float | None
    ratio: float | None
    exact: bool | None
    note: str = ""


def result_of(model: str, target: str, measured: Measured) -> Result:
    """What was counted beside its bound and its peer.

    Raises:
        DimmerError: no bound is known for the target's core.
    """
    core = load_target(target).core
    count = measured.count
    peer = TFLM_CMSIS_NN.get((model, target))
    return Result(model, measured.mode, target, core, count, measured.layers, bound(count.macs, core), peer)


def write_results(results: Sequence[Result], compilers: dict[str, str]) -> None:
    """Writes results.json and the plot beside it."""
    rows = ",\n".join(_row(r) for r in results)
    unit = "instructions of one inference, counted; cycles of one, measured on RTL or modelled as cycles_source says"
    head = f'"unit": "{unit}",\n"compilers": {json.dumps(compilers)}'
    host = json.loads(RESULTS.read_text()).get("host", []) if RESULTS.is_file() else []
    _write(head, [json.dumps(time) for time in host], rows)
    # Simulated cores run the instructions of riscv-virt.
    counted = [r for r in results if r.count.cycles_source != "rtl"]
    atomic_write(PLOT, plot([r for r in counted if r.model in {model for model, _ in TFLM_CMSIS_NN}]))


def write_host(times: Sequence[HostTime]) -> None:
    """Puts wall times on the host into results.json, whose other figures stay."""
    head, _, rest = RESULTS.read_text().removeprefix("{\n").partition(',\n"')
    compilers, _, rest = rest.partition(',\n"')
    rows = rest[rest.index("[\n", rest.index('results"')) + 2 :].removesuffix("\n]\n}\n")
    _write(f'{head},\n"{compilers}', [json.dumps(asdict(time)) for time in times], rows)


def _write(head: str, host: Sequence[str], rows: str) -> None:
    """`host` has the wall times, a JSON object each; `rows` is the array of results without its brackets."""
    lines = ",\n".join(f"  {time}" for time in host)
    times = f'"host": [\n{lines}\n],\n' if lines else ""
    atomic_write(RESULTS, f'{{\n{head},\n{times}"results": [\n{rows}\n]\n}}\n')


def _row(r: Result) -> str:
    """One result as JSON, one layer a line: a file that a person can compare with the last one."""
    figures = {
        "model": r.model,
        "mode": r.mode,
        "target": r.target,
        "core": r.core,
        **asdict(r.count),
        "instructions_per_mac": round(r.count.instructions / r.count.macs, 3),
        "bound": r.bound,
        "tflm_cmsis_nn": None if r.peer is None else asdict(r.peer),
        "ratio": None if r.ratio is None else round(r.ratio, 3),
    }
    layers = ",\n".join("  " + json.dumps(asdict(layer)) for layer in r.layers)
    return f'{json.dumps(figures)[:-1]},\n "layers": [\n{layers}\n ]}}'


def plot(results: Sequence[Result]) -> str:
    """Instructions per MAC on every core, a panel a model: ours, the peer's, and the bound as a line; an SVG file."""
    import io

    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(r.model for r in results))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 10}):
        figure = Figure(figsize=(4.6 * len(models) + 0.6, 3.6), layout="tight", facecolor=PAPER["fill"])
        FigureCanvasSVG(figure)
        for index, model in enumerate(models):
            _panel(figure.add_subplot(1, len(models), index + 1), model, [r for r in results if r.model == model])
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _panel(axes: Axes, model: str, results: Sequence[Result]) -> None:
    order = list(CORES)
    results = sorted(results, key=lambda r: order.index(r.core) if r.core in CORES else len(order))
    places = range(len(results))
    ours = [r.count.instructions / r.count.macs for r in results]
    peers = [math.nan if r.peer is None else r.peer.instructions / r.count.macs for r in results]
    floor = [r.bound / r.count.macs for r in results]
    axes.bar([p - 0.2 for p in places], peers, 0.4, color=PEER, label="TFLite-Micro + CMSIS-NN")
    axes.bar([p + 0.2 for p in places], ours, 0.4, color=OURS, label="Dimmer")
    axes.hlines(floor, [p - 0.42 for p in places], [p + 0.42 for p in places], color=FLOOR, label="bound")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylim(0.5 * min(floor), 6 * max(ours + [p for p in peers if not math.isnan(p)]))  # room for the legend
    axes.set_xticks(list(places), [CORES.get(r.core, r.core) for r in results], fontsize=8)
    axes.set_title(model, loc="left", fontsize=11)
    axes.set_ylabel("instructions per MAC")
    axes.grid(True, axis="y", color=PAPER["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
