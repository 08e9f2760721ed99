# SPDX-License-Identifier: Apache-2.0
"""report.json and report.html."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.cycles import MODEL_ERROR
from dimmer.pipeline.artifacts.firmware import Verification
from dimmer.pipeline.artifacts.report import BundleFigures, Candidate, ModeFigures, NpuFigures, ReportData
from dimmer.pipeline.core.documents import from_json
from dimmer.pipeline.core.stage import Json, Stage, atomic_write
from dimmer.pipeline.modes.width import PAIRS
from dimmer.pipeline.reporting.energy_lines import energy_line, energy_rows, microjoules
from dimmer.pipeline.reporting.layers import cycles_heading, layer_tables
from dimmer.targets.timing.kinds import GROUPS

if TYPE_CHECKING:
    from dimmer.pipeline.reporting.plots import CostPoint


SCHEMA = Path(__file__).with_name("report.schema.json")

PLOTS = tuple(f"{name}{end}" for name in ("pareto", "arena", "battery") for end in ("", "-narrow"))

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Card:
    """A figure that stands out on the page, with a line about it."""

    title: str
    figure: str
    detail: str


def write_report(data: ReportData, folder: Path, plots_in: Path | None = None) -> tuple[Path, Path]:
    """Write report.json and report.html into a build's folder; gives both.

    Args:
        plots_in: where plots are kept from one report to the next; the same folder if none is named.

    Raises:
        DimmerError: the figures do not satisfy report.schema.json.
    """
    document = data.document()
    check_document(document)
    figures, page = folder / "report.json", folder / "report.html"
    atomic_write(figures, json.dumps(document, indent=2) + "\n")
    atomic_write(page, render_page(data, plots(data, plots_in or folder)))
    return figures, page


def check_document(document: Mapping[str, Json]) -> None:
    """Check the content of a report.json against the schema.

    Raises:
        DimmerError: names the first figure that is wrong.
    """
    import jsonschema

    schema = json.loads(SCHEMA.read_text())
    # Through JSON and back: tuples are arrays only there.
    plain = json.loads(json.dumps(document))
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(plain))
    if error is not None:
        raise DimmerError(f"report.json: {error.json_path}: {error.message}")


def plots(data: ReportData, folder: Path) -> dict[str, str]:
    """SVG text of every plot that there are figures for, drawn anew only if they changed.

    Returns:
        Name (pareto, arena, battery; with -narrow for a phone) -> SVG.
    """
    figures: dict[str, Json] = {
        "modes": [repr(mode) for mode in data.modes],
        "candidates": [repr(mode) for mode in data.candidates],
        "arena": [repr(buffer) for buffer in data.arena],
        "arena_bytes": data.ram.arena,
        "battery": [repr(sample) for sample in data.battery],
        "energy": repr(data.energy is None),
        "policy": [repr(tier) for tier in data.policy],
    }

    def draw(partial: Path) -> None:
        from dimmer.pipeline.reporting import plots as report_plots

        names = [mode.name for mode in data.modes]
        accuracies = {mode.name: mode.accuracy for mode in data.modes}
        points, cost, accuracy = _cost_points(data)
        for narrow, end in ((False, ""), (True, "-narrow")):
            if points:
                svg = report_plots.pareto(points, cost, accuracy, narrow)
                (partial / f"pareto{end}.svg").write_text(svg)
            if data.arena:
                svg = report_plots.arena_map(names, data.arena, data.ram.arena, narrow)
                (partial / f"arena{end}.svg").write_text(svg)
            if data.battery:
                svg = report_plots.battery(data.battery, accuracies, data.policy, narrow)
                (partial / f"battery{end}.svg").write_text(svg)

    Stage("plots", folder / "plots", draw, settings=figures).run()
    return {path.stem: path.read_text() for path in sorted((folder / "plots").glob("*.svg"))}


def render_page(data: ReportData, plots: Mapping[str, str]) -> str:
    """The text of report.html."""
    import jinja2

    from dimmer.pipeline.reporting.plots import DARK_RAMP, LIGHT_RAMP, colour_variables

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    count = len(data.modes)
    page = environment.get_template("report.html.j2").render(
        data=data,
        top=data.modes[0],
        lede=_lede(data),
        letters=_letters([*(mode.name for mode in data.modes), *(mode.name for mode in data.candidates)]),
        cards=cards(data),
        plots={**dict.fromkeys(PLOTS, ""), **plots},
        light=colour_variables(count, LIGHT_RAMP),
        dark=colour_variables(count, DARK_RAMP),
        gradient=", ".join(f"var(--mode-{min(i, count - 1)})" for i in range(max(count, 2))),
        modelled_error=MODEL_ERROR,
        cycles_heading=cycles_heading(data),
        layer_tables=layer_tables(data),
        scores=data.scores.get(data.modes[0].name),
        plot_note=_plot_note(data),
        energy_rows=energy_rows(data),
        microjoules=microjoules(data.energy),
        energy_line="" if data.energy is None else energy_line(data.energy).replace("+-", "±"),
        groups=GROUPS,
        largest_layer=max((layer.weights + layer.parameters for layer in data.layers), default=1) or 1,
    )
    return page + "\n"


def _letters(modes: Sequence[str]) -> str:
    """What the letters in these modes stand for, as the end of a sentence; nothing where there are none."""
    used = [pair for pair in PAIRS.values() if any(pair.letter in mode for mode in modes)]
    said = ", ".join(f"{p.letter} is {p.weights} bits for weights and {p.activations} for activations" for p in used)
    return f"; {said}" if said else ""


def plot_readme(report: Path, svg: Path) -> None:
    """Draw the README's plot, accuracy against cost, from a report.json.

    Raises:
        DimmerError: the file is missing or no report.
    """
    from dimmer.pipeline.reporting import plots as report_plots

    try:
        document: Any = json.loads(report.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{report} cannot be read ({error}): run build-target first") from error
    check_document(document)
    modes = [from_json(ModeFigures, entry) for entry in document["modes"]]
    points, cost = _measured_points(modes)
    if not points:
        raise DimmerError(f"{report}: no mode has an accuracy, so there is nothing to draw")
    atomic_write(
        svg, report_plots.standalone(report_plots.pareto(points, cost, "accuracy on the test set"), len(modes))
    )


def _cost_points(data: ReportData) -> tuple[list[CostPoint], str, str]:
    """What the page's plot shows, and what its axes are called.

    All modes that the selection looked at, as it saw them: on validation images. Test accuracies of some and
    validation accuracies of others in one picture would compare what cannot be compared.
    """
    from dimmer.pipeline.reporting.plots import CostPoint

    if not data.candidates:
        points, cost = _measured_points(data.modes)
        return points, cost, "accuracy on the test set" if data.dataset is not None else "accuracy on samples"
    published = {mode.name: index for index, mode in enumerate(data.modes)}
    if data.energy is not None and (energies := _energies(data)) is not None:
        points = [
            CostPoint(one.name, energies[one.name], one.accuracy, published[one.name])
            for one in data.candidates
            if one.name in published
        ]
        return points, f"millijoules an inference, {data.energy.kind}", "accuracy on validation images"
    costs, label = _costs(data.candidates)
    points = [
        CostPoint(candidate.name, cost, candidate.accuracy, published.get(candidate.name))
        for candidate, cost in zip(data.candidates, costs, strict=True)
    ]
    return points, label, "accuracy on validation images"


def _energies(data: ReportData) -> dict[str, float] | None:
    """Published mode -> millijoules of an inference; None where they are not all known."""
    known = {mode.name: mode.energy_uj / 1000 for mode in data.modes if mode.energy_uj is not None}
    return known if data.energy is not None and len(known) == len(data.modes) else None


def _plot_note(data: ReportData) -> str:
    """What the plot of accuracy against cost shows."""
    seen = "Every mode that the selection looked at, as it saw them: on validation images."
    if _energies(data) is None:
        return f"{seen} Filled: published. Hollow: left out."
    return (
        "The published modes, as the selection saw them: on validation images. Modes compare better than their "
        "energies are known, since these come from the same constants. What was left out has no firmware to count."
    )


def _measured_points(modes: Sequence[ModeFigures]) -> tuple[list[CostPoint], str]:
    """Published modes against instructions where they were counted, and what the horizontal axis is called."""
    from dimmer.pipeline.reporting.plots import CostPoint

    counted = [mode.instructions / 1e6 for mode in modes if mode.instructions is not None]
    costs, label = (counted, "million instructions an inference") if len(counted) == len(modes) else _costs(modes)
    return [
        CostPoint(mode.name, cost, mode.accuracy, index)
        for index, (mode, cost) in enumerate(zip(modes, costs, strict=True))
        if mode.accuracy is not None
    ], label


def _costs(modes: Sequence[ModeFigures | Candidate]) -> tuple[list[float], str]:
    """MACs where all blocks run at 8 bits or not at all, else bit-operations."""
    operations = [mode.bit_operations for mode in modes if mode.bit_operations is not None]
    if len(operations) < len(modes) or all(mode.bit_operations == 64 * mode.macs for mode in modes):
        return [mode.macs / 1e6 for mode in modes], "million MACs an inference"
    return [each / 1e9 for each in operations], "billion bit-operations an inference"


def _lede(data: ReportData) -> str:
    top, last, count = data.modes[0], data.modes[-1], len(data.modes)
    if count == 1:
        return f"One mode, {top.name}."
    weights = "" if data.flash.weights is None else f" of {data.flash.weights:,} bytes"
    text = f"{count} modes read one copy{weights} of weights."
    share, unit = last.macs / top.macs, "multiplications"
    if top.instructions and last.instructions:
        share, unit = last.instructions / top.instructions, "instructions"
    text += f" The dimmest, {last.name}, takes {share:.0%} of the brightest one's {unit}"
    if top.accuracy is not None and last.accuracy is not None:
        change = 100 * (last.accuracy - top.accuracy)
        text += f", at {abs(change):.2f} points {'less' if change < 0 else 'more'} accuracy"
    return text + "."


def _arena(data: ReportData) -> str:
    bound = "" if data.arena_lower_bound is None else f" (lower bound {_bytes(data.arena_lower_bound)})"
    return f"arena {_bytes(data.ram.arena)}{bound}"


def cards(data: ReportData) -> list[Card]:
    """Memory or bundle, energy and verification, as far as they are known."""
    cards = _memory_cards(data) if data.bundle is None else [_bundle_card(data.bundle)]
    energies = [mode.energy_uj for mode in data.modes if mode.energy_uj is not None]
    if energies:
        kind = "modelled" if data.energy is None else data.energy.kind
        cards.append(Card("Energy", _range_of_energy(energies), f"an inference, {kind}"))
    checks = [mode.verify for mode in data.modes if mode.verify is not None]
    if checks:
        wrong = sum(check.mismatches for check in checks)
        samples = sum(check.samples for check in checks)
        figure = "bit-exact" if wrong == 0 else f"{wrong:,} mismatches"
        cards.append(Card("Verified", figure, f"{samples:,} inferences in {len(checks)} modes"))
    return cards


def _bundle_card(bundle: BundleFigures) -> Card:
    sizes = bundle.bytes
    parts = f"weights {_bytes(sizes.weights)}, library {_bytes(sizes.library)}, runtime {_bytes(sizes.runtime)}"
    return Card("Bundle", _bytes(sizes.total), f"{parts} (TVM {bundle.tvm}, {bundle.architecture})")


def _npu_card(npu: NpuFigures) -> Card:
    sizes = npu.bytes
    share = f"{sizes.blob / sizes.single_mode_blob:.3f} x the top mode's, {sizes.separate / sizes.blob:.2f} x less than"
    return Card("One blob", _bytes(sizes.blob), f"{share} apart (Vela {npu.vela}, {npu.accelerator})")


def _memory_cards(data: ReportData) -> list[Card]:
    ram = data.ram.arena if data.npu is not None else data.ram.total
    cards = [
        Card("Flash", _bytes(data.flash.total), _against(data.flash.total, data.flash.single_mode_total)),
        Card("RAM", _bytes(ram), _arena(data)),
    ]
    cards += [] if data.npu is None else [_npu_card(data.npu)]
    if data.stack.proven is not None or data.ram.stack is not None:
        painted = "not known" if data.ram.stack is None else f"{data.ram.stack:,} bytes"
        proven = "not known" if data.stack.proven is None else f"{data.stack.proven:,} bytes"
        cards.append(Card("Stack", f"proven {proven}", f"(call graph), painted {painted}"))
    extra = data.switch.bytes_of_flash_per_extra_mode
    per_mode = "not measured" if extra is None else f"{extra:,.0f} bytes"
    switch = "of flash"
    if data.switch.instructions is not None:
        switch += f"; a switch takes {data.switch.instructions:,} instructions"
    cards.append(Card("An extra mode", per_mode, switch))
    return cards


def _range_of_energy(microjoules: Sequence[float]) -> str:
    high, low = max(microjoules), min(microjoules)
    divisor, unit = (1000, "mJ") if high >= 1000 else (1, "µJ")
    # Two digits: constants are known to a tenth, and no better.
    return f"{_two_digits(high / divisor)} → {_two_digits(low / divisor)} {unit}"


def _two_digits(value: float) -> str:
    """A number with two digits that say something."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.1f}" if rounded < 10 else f"{rounded:,.0f}"


def _against(total: int | None, single: int | None) -> str:
    return "" if total is None or single is None else f"{_bytes(single)} with the top mode alone"


def _bytes(value: int | None) -> str:
    return "not measured" if value is None else f"{value / 1024:,.1f} KiB"


def count_text(value: int | None) -> str:
    """A count as the summary shows it."""
    return "-" if value is None else f"{value:,}"


def verified_text(check: Verification | None) -> str:
    """A verification as the summary shows it."""
    if check is None:
        return "-"
    return f"{check.samples} bit-exact" if check.mismatches == 0 else f"{check.mismatches} of {check.samples} differ"
