# SPDX-License-Identifier: Apache-2.0
"""The ESP-IDF component: what it names is there, compote packs it, chips without tables are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.esp_idf import RISCV, XTENSA, esp_idf_files
from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.package import Package
from tests.pipeline.bundles.packaging.made import of_cores, spread
from tests.pipeline.bundles.packaging.tools import tool

yaml = pytest.importorskip("yaml", reason="needs pyyaml, see requirements/docs.txt")


def test_what_it_names_is_there(blocks: Package) -> None:
    files = files_of(blocks, FORMATS["esp-idf"])
    manifest = yaml.safe_load(files["idf_component.yml"])
    assert manifest["version"] == blocks.version
    assert set(manifest["targets"]) == {*RISCV, *XTENSA}
    listed = [line.strip() for line in files["CMakeLists.txt"].splitlines() if line.strip().startswith("src/")]
    assert sorted(listed) == sorted((*blocks.runtime_sources, *blocks.model_sources))
    assert "void app_main(void)" in files["examples/selftest/main/main.c"]


@pytest.mark.parametrize("url", ["https://example.org/#a:b", "https://example.org/{x}\\n", "https://example.org/:"])
def test_any_address_is_a_text(blocks: Package, url: str) -> None:
    publisher = replace(blocks.publisher, url=url)
    publisher.check()
    files = esp_idf_files(replace(blocks, publisher=publisher))
    assert yaml.safe_load(files["idf_component.yml"])["url"] == url


def test_chips_by_core(blocks: Package) -> None:
    riscv = esp_idf_files(of_cores(blocks, ["rv32imc"]))["idf_component.yml"]
    assert yaml.safe_load(riscv)["targets"] == sorted(RISCV)
    with pytest.raises(DimmerError, match="RISC-V or Xtensa: add --core rv32imc or --core portable"):
        esp_idf_files(of_cores(blocks, ["cortex-m4"]))


@pytest.mark.slow
def test_compote_packs_it(blocks: Package, tmp_path: Path) -> None:
    folder = spread(files_of(blocks, FORMATS["esp-idf"]), tmp_path / "p")
    words = ("component", "pack", "--name", blocks.symbol, "--dest-dir", tmp_path / "dist")
    done = tool("compote", *words, cwd=folder, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dist" / f"{blocks.symbol}_{blocks.version}.tgz").is_file()
    text = (folder / "idf_component.yml").read_text()
    (folder / "idf_component.yml").write_text(text.replace(blocks.version, "abc"))
    done = tool("compote", *words, cwd=folder, home=tmp_path)
    assert done.returncode != 0
    assert "Invalid version string" in done.stdout + done.stderr
