# SPDX-License-Identifier: Apache-2.0
"""The report's plots: SVG text that takes its colours from the page, the same bytes for the same figures.

Matplotlib knows no CSS, so it draws in marker colours (#0d0d01, ...) that stand nowhere else; afterwards each is
replaced by a CSS variable, and one picture serves the light page and the dark one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.artifacts.firmware import ArenaBuffer, PolicyTier
from dimmer.pipeline.artifacts.report import BatterySample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, FILL = "#0d0d01", "#0d0d02", "#0d0d03", "#0d0d04"
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", FILL: "var(--fill)"}
_MODE_MARKER = "#0d0e{:02x}"

# Brightest to dimmest mode, as a lamp goes from white heat to ember: on light paper, on dark.
LIGHT_RAMP = ("#f5a50b", "#d9690f", "#a3361f", "#5c2a3a")
DARK_RAMP = ("#ffd24a", "#f09433", "#c8553d", "#8a4a6b")
PAPER = {"ink": "#1f1d1a", "muted": "#736e66", "grid": "#e6e2da", "fill": "#ffffff"}
_PX = 1 / 72
WIDE, NARROW = 760, 340
"""Width of a plot in px, where there is room and on a phone: letters have 11 in both."""


def mode_colours(count: int, ramp: Sequence[str]) -> list[str]:
    """``count`` colours along the ramp, the brightest first, as #rrggbb."""
    anchors = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in ramp]
    colours = []
    for index in range(count):
        place = index / max(count - 1, 1) * (len(anchors) - 1)
        low = min(int(place), len(anchors) - 2)
        share = place - low
        mixed = (round(a + (b - a) * share) for a, b in zip(anchors[low], anchors[low + 1], strict=True))
        colours.append("#{:02x}{:02x}{:02x}".format(*mixed))
    return colours


def colour_variables(count: int, ramp: Sequence[str]) -> str:
    """CSS declarations of ``--mode-0`` and so on."""
    return " ".join(f"--mode-{i}: {colour};" for i, colour in enumerate(mode_colours(count, ramp)))


@dataclass(frozen=True)
class CostPoint:
    """A mode in the plane of cost and accuracy.

    Attributes:
        cost: in whatever unit the axis names.
        accuracy: 0..1.
        mode: its index among the published modes; None if it was left out.
    """

    name: str
    cost: float
    accuracy: float
    mode: int | None


def pareto(points: Sequence[CostPoint], cost: str, accuracy: str, narrow: bool = False) -> str:
    """Accuracy against cost: published modes filled, those that were left out hollow; a line joins the published ones
    of which no cheaper one is as accurate.

    Args:
        cost: what the horizontal axis shows, with its unit.
        accuracy: what the vertical axis shows.
        narrow: for a phone.
    """
    front: list[CostPoint] = []
    for point in sorted((p for p in points if p.mode is not None), key=lambda p: (p.cost, -p.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)

    def draw(figure: Figure) -> None:
        axes = _axes(figure)
        line = [(point.cost, 100 * point.accuracy) for point in front]
        axes.plot([x for x, _ in line], [y for _, y in line], color=MUTED, linewidth=1.2, zorder=1)
        for point in points:
            style: dict[str, Any] = {"markersize": 7, "markerfacecolor": FILL, "markeredgecolor": MUTED, "zorder": 2}
            if point.mode is not None:
                colour = _MODE_MARKER.format(point.mode)
                style = {"markersize": 10, "color": colour, "markeredgecolor": FILL, "zorder": 3}
            axes.plot(point.cost, 100 * point.accuracy, "o", **style)
        xs, ys = [point.cost for point in points], [100 * point.accuracy for point in points]
        axes.set_xlim(min(xs) - 0.08 * _span(xs), max(xs) + (0.6 if narrow else 0.22) * _span(xs))
        axes.set_ylim(min(ys) - 0.15 * _span(ys), max(ys) + 0.15 * _span(ys))
        _label(axes, points)
        axes.set_xlabel(cost)
        axes.set_ylabel(f"{accuracy}, %")

    return _svg("pareto", narrow, 380, draw, f"{accuracy} of every mode against {cost}")


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], cost: str, accuracy: str) -> str:
    """Accuracy against cost, several lines with their names in a legend; costs on a logarithmic axis.

    Args:
        lines: name -> [(cost, accuracy in percent)].
        cost: what the horizontal axis shows.
        accuracy: what the vertical axis shows.
    """

    def draw(figure: Figure) -> None:
        axes = _axes(figure)
        for index, (name, points) in enumerate(lines.items()):
            xs, ys = zip(*sorted(points), strict=True)
            axes.plot(xs, ys, "o-", color=_MODE_MARKER.format(index), linewidth=1.6, markersize=6, label=name)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel(cost)
        axes.set_ylabel(f"{accuracy}, %")
        axes.legend(frameon=False, loc="lower right")

    return _svg("curves", False, 380, draw, f"{accuracy} against {cost}")


@dataclass(frozen=True)
class Spread:
    """Several values of one difference.

    Attributes:
        name: of the difference.
        values: one a seed.
        low: of the interval of their mean; None where there is none.
        high: of the same.
    """

    name: str
    values: Sequence[float]
    low: float | None
    high: float | None


def spreads(rows: Sequence[Spread], margin: float, what: str) -> str:
    """Differences, a row each: hollow dots for the values, a filled one for their mean, a line for its interval.

    Args:
        margin: drawn on the left of zero, dashed: what counts as no worse.
        what: the horizontal axis shows.
    """

    def draw(figure: Figure) -> None:
        axes = _axes(figure)
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.axvline(-margin, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for place, row in enumerate(rows):
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [place, place], color=_MODE_MARKER.format(0), linewidth=2)
            axes.plot(row.values, [place] * len(row.values), "o", markerfacecolor=FILL, markeredgecolor=MUTED)
            axes.plot(sum(row.values) / len(row.values), place, "o", color=_MODE_MARKER.format(0), markersize=9)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(what)

    return _svg("spreads", False, 90 + 34 * len(rows), draw, what)


def arena_map(modes: Sequence[str], buffers: Sequence[ArenaBuffer], arena: int | None, narrow: bool = False) -> str:
    """Where each tensor lies in the arena and for how long, a panel a mode."""
    columns = 2 if len(modes) > 1 and not narrow else 1
    rows = -(-len(modes) // columns)
    top = max([buffer.offset + buffer.size for buffer in buffers] + [arena or 0])
    steps = max(buffer.last_step for buffer in buffers) + 1

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Rectangle

        for index, mode in enumerate(modes):
            axes = _axes(figure, rows, columns, index + 1)
            axes.grid(False)
            for buffer in (b for b in buffers if b.mode == mode and not b.within):
                width = buffer.last_step - buffer.first_step + 1
                box = Rectangle((buffer.first_step, buffer.offset / 1024), width, buffer.size / 1024)
                box.set(facecolor=_MODE_MARKER.format(index), alpha=0.75, edgecolor=FILL, linewidth=1)
                axes.add_patch(box)
            if arena is not None:
                axes.axhline(arena / 1024, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
            axes.set_xlim(0, steps)
            axes.set_ylim(0, top / 1024 * 1.06)
            axes.set_title(mode, loc="left", fontsize=12, color=INK)
            if index >= len(modes) - columns:
                axes.set_xlabel("step of the schedule")
            if index % columns == 0:
                axes.set_ylabel("KiB")

    return _svg("arena", narrow, 60 + 170 * rows, draw, "Arena of each mode: offset of every tensor over the steps")


def battery(
    samples: Sequence[BatterySample],
    modes: Mapping[str, float | None],
    policy: Sequence[PolicyTier],
    narrow: bool = False,
) -> str:
    """Charge over time, in the colour of the mode that runs; dashed lines at the policy's thresholds.

    Args:
        modes: name -> accuracy, 0..1, which stands beside the name where it is known.
        narrow: for a phone.
    """
    colours = {name: _MODE_MARKER.format(i) for i, name in enumerate(modes)}
    hours = [sample.time_s / 3600 for sample in samples]
    unit, scale = ("days", 24.0) if hours[-1] > 96 else ("hours", 1.0)
    times = [hour / scale for hour in hours]
    charge = [sample.charge_permille / 10 for sample in samples]

    def draw(figure: Figure) -> None:
        axes = _axes(figure)
        axes.grid(False)
        between = "\n" if narrow else ", "
        start = 0
        for end in range(1, len(samples) + 1):
            if end == len(samples) or samples[end].mode != samples[start].mode:
                stop = min(end, len(samples) - 1)
                mode = samples[start].mode
                xs, ys = times[start : stop + 1], charge[start : stop + 1]
                axes.fill_between(xs, ys, color=colours[mode], alpha=0.3, linewidth=0)
                axes.plot(xs, ys, color=colours[mode], linewidth=2.5, solid_capstyle="butt")
                if times[stop] - times[start] > (0.18 if narrow else 0.08) * times[-1]:
                    middle = (start + stop) // 2
                    right = modes[mode]
                    label = mode if right is None else f"{mode}{between}{100 * right:.1f} %"
                    axes.text(times[middle], charge[middle] + 3, label, fontsize=11, color=INK)
                start = end
        for tier in policy:
            if tier.min_charge_permille:
                axes.axhline(tier.min_charge_permille / 10, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlim(0, times[-1] or 1)
        axes.set_ylim(0, 108)
        axes.set_xlabel(unit)
        axes.set_ylabel("charge, %")

    return _svg("battery", narrow, 300, draw, "Battery charge over time and the mode that runs")


def standalone(svg: str, modes: int) -> str:
    """The same picture as a file of its own, in the light page's colours: not every viewer knows CSS variables."""
    colours = dict(PAPER) | {f"mode-{i}": colour for i, colour in enumerate(mode_colours(modes, LIGHT_RAMP))}
    svg = re.sub(r"var\(--([a-z0-9-]+)\)", lambda match: colours[match[1]], svg)
    head, rest = svg.split(">", 1)
    page = f'<rect width="100%" height="100%" fill="{PAPER["fill"]}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head} font-family="system-ui, sans-serif">{page}{rest}'


def _svg(name: str, narrow: bool, height: int, draw: Callable[[Figure], None], description: str) -> str:
    width = NARROW if narrow else WIDE
    # Not pyplot: it keeps figures in a global list and looks for a display.
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        # Both kinds stand on one page, where names must differ.
        "svg.hashsalt": f"{name}-narrow" if narrow else name,
        "font.size": 11,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": MUTED,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "text.color": INK,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width * _PX, height * _PX), layout="tight")
        FigureCanvasSVG(figure)
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_the_page(file.getvalue(), width, height, description)


def _for_the_page(svg: str, width: int, height: int, description: str) -> str:
    svg = svg[svg.index("<svg") :]
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{description}"'
    head += ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    svg = head + svg[svg.index(">") + 1 :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: ([0-9.]+px) [^;\"]+", r"font-size: \1", svg)
    for marker, variable in _VARIABLES.items():
        svg = svg.replace(marker, variable)
    return re.sub(r"#0d0e([0-9a-f]{2})", lambda match: f"var(--mode-{int(match[1], 16)})", svg)


def _axes(figure: Figure, rows: int = 1, columns: int = 1, index: int = 1) -> Axes:
    axes = figure.add_subplot(rows, columns, index)
    axes.set_axisbelow(True)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.tick_params(length=0, labelsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)
    return axes


def _span(values: Sequence[float]) -> float:
    return (max(values) - min(values)) or max(abs(values[0]) * 0.1, 1e-3)


def _label(axes: Axes, points: Sequence[CostPoint]) -> None:
    """Names to the right of their points, lower where the line or another name would cross them."""
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    gap = (high - low) * 0.05
    placed: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: -point.accuracy):
        y = 100 * point.accuracy
        # The line through the published modes rises to the right, so the space under it is free.
        at = y if point.mode is None else y - 0.6 * gap
        for other_x, other_y in placed:
            if abs(other_x - point.cost) < 0.14 * (right - left):
                at = min(at, other_y - gap)
        placed.append((point.cost, at))
        text_x = point.cost + 0.018 * (right - left)
        if y - at > gap:
            axes.plot([point.cost, text_x], [y, at], color=GRID, linewidth=1, zorder=1)
        colour = MUTED if point.mode is None else INK
        axes.text(text_x, at, point.name, va="center", fontsize=11, color=colour, zorder=4)
