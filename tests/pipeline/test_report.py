"""The report holds the contract of report.json, explains what is missing, and is the same for the same figures."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from dimmer.pipeline.artifacts.report import ReportData, Switch, Verification
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.reporting import plots as report_plots
from dimmer.pipeline.reporting.page import check_document, plot_readme, write_report
from dimmer.pipeline.reporting.summary import print_summary
from tests.pipeline.report_example import PUBLISHED, example

CONTRACT = {
    "flash": ["weights", "tables", "code", "total", "single_mode_total"],
    "ram": ["arena", "scratch", "stack", "total", "single_mode_arena"],
    "switch": ["instructions", "bytes_of_flash_per_extra_mode"],
}
MODE_KEYS = [
    *("name", "blocks", "macs", "bit_operations", "accuracy", "accuracy_float"),
    *("instructions", "energy_uj", "verify"),
]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    write_report(example(), folder)
    return folder


def test_document_has_every_key_of_the_contract(build: Path) -> None:
    document = json.loads((build / "report.json").read_text())
    for key in ("model", "target", "dataset", "generator_version", "policy", "gates", "stages", "notes"):
        assert key in document
    assert {key: list(document[key]) for key in CONTRACT} == CONTRACT
    assert [list(mode) for mode in document["modes"]] == [MODE_KEYS] * 4
    assert document["modes"][1]["blocks"] == [[8, 0], [8, 8], [8, 8]]
    assert document["modes"][0]["verify"] == {"samples": 100, "mismatches": 0, "backend": "QEMU mps2-an386"}
    assert document["stages"][1] == {"name": "calibrate", "seconds": 38.2, "cached": True}


def test_null_needs_a_note() -> None:
    with pytest.raises(ValueError, match=r"switch\.instructions: null without a note"):
        replace(example(), notes={}).document()
    unverified = replace(example().modes[0], verify=None)
    with pytest.raises(ValueError, match=r"modes\[0\]\.verify: null without a note"):
        replace(example(), modes=(unverified, *example().modes[1:])).document()


def test_note_on_all_indices_holds_for_each() -> None:
    assert "modelled" in (example().note("modes[3].energy_uj") or "")


def test_figure_out_of_range_is_named() -> None:
    wrong = replace(example().modes[2], accuracy=89.41)
    data = replace(example(), modes=(*example().modes[:2], wrong))
    with pytest.raises(DimmerError, match=r"report\.json: \$\.modes\[2\]\.accuracy: 89\.41"):
        check_document(data.document())


def test_page_is_one_file_without_a_network(build: Path) -> None:
    page = (build / "report.html").read_text()
    assert not re.search(r"<script|<link|<img|@import|url\(http|src=", page)
    assert set(re.findall(r'https?://[^"\s]+', page)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "#0d0d" not in page
    assert "#0d0e" not in page
    for name in PUBLISHED:
        assert name in page
    assert page.count("<svg") == 3


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
    why = {f"modes[*].{key}": "not run" for key in MODE_KEYS[4:]}
    notes = {**why, "switch.instructions": "one mode", "switch.bytes_of_flash_per_extra_mode": "one mode"}
    sparse = replace(
        full,
        modes=(mode,),
        candidates=(),
        policy=(),
        arena=(),
        layers=(),
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
    assert "3 of 100 differ" in summary(data)


def test_summary_names_every_mode() -> None:
    text = summary(example())
    for name in PUBLISHED:
        assert name in text
    assert "100 bit-exact" in text
    assert "194.3 KiB" in text


def summary(data: ReportData) -> str:
    file = io.StringIO()
    print_summary(data, Console(file=file, width=120))
    return file.getvalue()


def test_readme_plot_comes_from_the_report_alone(build: Path, tmp_path: Path) -> None:
    plot_readme(build / "report.json", tmp_path / "pareto.svg")
    svg = (tmp_path / "pareto.svg").read_text()
    assert "var(--" not in svg
    assert "80.80.88" in svg
    assert "million instructions" in svg
    with pytest.raises(DimmerError, match="run build-target first"):
        plot_readme(tmp_path / "none.json", tmp_path / "pareto.svg")


def test_mode_colours_run_from_one_end_of_the_ramp_to_the_other() -> None:
    ramp = report_plots.LIGHT_RAMP
    assert report_plots.mode_colours(4, ramp) == list(ramp)
    assert report_plots.mode_colours(1, ramp) == [ramp[0]]
    assert report_plots.mode_colours(2, ramp) == [ramp[0], ramp[-1]]
