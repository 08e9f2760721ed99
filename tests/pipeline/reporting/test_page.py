# SPDX-License-Identifier: Apache-2.0
"""report.json and report.html: right for every report, and the same bytes for the same figures."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.firmware import ArenaBuffer, FirmwareStack, StackDepth, Switch, Verification
from dimmer.pipeline.modes.width import BITS, character_of
from dimmer.pipeline.reporting.page import SCHEMA, check_document, plot_readme, write_report
from tests.browser import PHONE, on_a_phone, printed
from tests.pipeline.reporting.report_example import PUBLISHED, example


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    write_report(example(), folder)
    return folder


def test_figure_out_of_range_is_named() -> None:
    wrong = replace(example().modes[2], accuracy=89.41)
    data = replace(example(), modes=(*example().modes[:2], wrong))
    with pytest.raises(DimmerError, match=r"report\.json: \$\.modes\[2\]\.accuracy: 89\.41"):
        check_document(data.document())


def test_slices_that_nothing_copies_are_of_the_contract() -> None:
    mode = next(iter(PUBLISHED))
    part = ArenaBuffer(mode, "part", 64, 32, 1, 3, "whole")
    document = replace(example(), arena=(*example().arena, part)).document()
    check_document(document)
    with pytest.raises(DimmerError, match="aliases"):
        check_document({**document, "aliases": [{"mode": mode}]})


def test_page_is_one_file_without_a_network(build: Path) -> None:
    page = (build / "report.html").read_text()
    assert not re.search(r"<script|<link|<img|@import|url\(http|src=", page)
    assert set(re.findall(r'https?://[^"\s]+', page)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "#0d0d" not in page
    assert "#0d0e" not in page
    for name in PUBLISHED:
        assert name in page
    assert page.count("<svg") == 6, "each plot for a phone, too"


def test_the_proven_stack_stands_beside_the_painted_one(build: Path, tmp_path: Path) -> None:
    page = (build / "report.html").read_text()
    assert "proven 1,200 bytes" in page
    assert "(call graph), painted 1,024 bytes" in page
    assert "the core itself pushes up to 108 bytes. A hook begins where dimmer_invoke has taken 32." in page
    assert re.search(
        r'dimmer_init</th><td data-label="bytes">60</td><td class="l wrap" data-label="deepest way">memset', page
    )
    nothing = FirmwareStack(proven=None, before_hook=None, exception_frame=None)
    notes = {**example().notes, **dict.fromkeys((f"stack.{key}" for key in vars(nothing)), "no disassembler")}
    write_report(replace(example(), stack=nothing, notes=notes), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "proven not known" in page
    assert "dimmer_init" not in page


def test_a_null_among_the_functions_shows_its_note(tmp_path: Path) -> None:
    stack = replace(example().stack, entries=(StackDepth("dimmer_mode", None, ()),))
    notes = {**example().notes, "stack.entries[0].bytes": "dimmer_mode is not here"}
    write_report(replace(example(), stack=stack, notes=notes), tmp_path)
    assert 'title="dimmer_mode is not here"' in (tmp_path / "report.html").read_text()


def test_same_figures_give_the_same_bytes(build: Path, tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    for name in ("report.json", "report.html", "plots/pareto.svg", "plots/arena.svg", "plots/battery.svg"):
        assert (tmp_path / name).read_bytes() == (build / name).read_bytes()


def test_names_are_escaped(tmp_path: Path) -> None:
    write_report(replace(example(), dataset="<script>alert(1)</script>"), tmp_path)
    assert "<script>" not in (tmp_path / "report.html").read_text()


def test_sparse_report_still_makes_a_page(tmp_path: Path) -> None:
    full = example()
    mode = replace(full.modes[0], accuracy=None, accuracy_float=None, instructions=None, energy_uj=None, verify=None)
    why = {
        f"modes[*].{key}": "not run" for key in ("accuracy", "accuracy_float", "instructions", "energy_uj", "verify")
    }
    notes = {**why, "switch.instructions": "one mode", "switch.bytes_of_flash_per_extra_mode": "one mode"}
    sparse = replace(
        full,
        modes=(mode,),
        candidates=(),
        policy=(),
        arena=(),
        layers=(),
        steps=(),
        battery=(),
        notes=notes,
        switch=Switch(None, None),
    )
    write_report(sparse, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 0
    assert 'title="not run">not measured' in page


def test_mismatches_are_told_loudly(tmp_path: Path) -> None:
    bad = replace(example().modes[0], verify=Verification(100, 3, "QEMU"))
    data = replace(example(), modes=(bad, *example().modes[1:]))
    write_report(data, tmp_path)
    assert "3 of 100 differ" in (tmp_path / "report.html").read_text()


def test_readme_plot_comes_from_the_report_alone(build: Path, tmp_path: Path) -> None:
    plot_readme(build / "report.json", tmp_path / "pareto.svg")
    svg = (tmp_path / "pareto.svg").read_text()
    assert "var(--" not in svg
    assert "80.80.88" in svg
    assert "million instructions" in svg
    with pytest.raises(DimmerError, match="run build-target first"):
        plot_readme(tmp_path / "none.json", tmp_path / "pareto.svg")


def test_headings_of_tables_say_what_they_head(build: Path) -> None:
    page = (build / "report.html").read_text()
    headings = re.findall(r"<th\b[^>]*>", page)
    assert len(headings) > 40
    assert [one for one in headings if 'scope="' not in one] == []


def test_on_a_phone_every_entry_of_a_list_has_its_heading(build: Path) -> None:
    page = (build / "report.html").read_text()
    tables = re.findall(r'<table class="narrow">(.*?)</table>', page, flags=re.DOTALL)
    assert len(tables) == 9
    for table in tables:
        entries = [one for one in re.findall(r"<td\b[^>]*>", table) if one != '<td class="gap">']
        assert entries
        assert [one for one in entries if "data-label=" not in one] == []


def test_on_a_phone_nothing_is_cut_off(build: Path, tmp_path: Path) -> None:
    width, cut, scrolls = on_a_phone((build / "report.html").read_text(), tmp_path)
    assert (width, cut) == (PHONE, [])
    # Lists of layers are too wide for entries one under the other: they scroll, and their names stay.
    assert scrolls == {"Cycles by layer", "Flash by layer"}


@pytest.mark.slow
def test_no_page_of_the_print_is_empty(build: Path, tmp_path: Path) -> None:
    texts = printed((build / "report.html").as_uri(), tmp_path)
    assert len(texts) > 1
    assert min(texts) > 20


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_has_a_contrast_of_four_and_a_half(build: Path) -> None:
    page = (build / "report.html").read_text()
    for theme in re.findall(r":root \{([^}]*)\}", page):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme))
        for ink in ("ink", "muted", "good", "bad"):
            for paper in ("page", "fill"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, f"{ink} on {paper}"
    # Bits of blocks, whose colours are those of both themes.
    blocks = re.findall(r"\.(b[\da-c]) \{ background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6});", page)
    assert [name for name, _, _ in blocks] == [f"b{character_of(bits)}" for bits in BITS if bits]
    for name, paper, ink in blocks:
        assert contrast(ink, paper) >= 4.5, name


def test_widths_of_the_contract_are_those_of_modes() -> None:
    properties = json.loads(SCHEMA.read_text())["properties"]
    letters = "".join(map(character_of, BITS))
    candidate = properties["candidates"]["items"]["properties"]
    assert candidate["name"]["pattern"] == rf"^[{letters}]+(\.[{letters}]+)*$"
    for blocks in (candidate["blocks"], properties["modes"]["items"]["properties"]["blocks"]):
        assert tuple(blocks["items"]["items"]["enum"]) == BITS


def test_pairs_have_their_widths_in_the_contract_and_letters_on_the_page(build: Path, tmp_path: Path) -> None:
    full = example()
    modes = (full.modes[0], replace(full.modes[1], name="8c.a0.b0"))
    candidates = (*full.candidates, replace(full.candidates[0], name="cc.c0.b0"))
    policy = (replace(full.policy[0], mode="8c.a0.b0"),)
    pairs = replace(full, modes=modes, candidates=candidates, policy=policy)
    write_report(replace(pairs, arena=(), layers=(), steps=(), battery=(), energy=None), tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["modes"][1]["blocks"] == [[8, 48], [24, 0], [28, 0]]
    assert document["candidates"][-1]["blocks"] == [[48, 48], [48, 0], [28, 0]]
    page = (tmp_path / "report.html").read_text()
    assert '<em class="bc">c</em>' in page
    assert "0 is skipped; c is 4 bits for weights and 8 for activations, b is 2 bits for weights and 8" in page
    assert "bits for weights" not in (build / "report.html").read_text()
    with pytest.raises(DimmerError, match=r"candidates\[0\]\.name: '8d' does not match"):
        check_document({**document, "candidates": [{**document["candidates"][0], "name": "8d"}]})
