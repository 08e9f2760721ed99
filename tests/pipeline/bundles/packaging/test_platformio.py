# SPDX-License-Identifier: Apache-2.0
"""library.json: what it names is there; PlatformIO's own schema takes it, and refuses what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.platformio import platformio_files, platforms
from tests.pipeline.bundles.packaging.made import spread
from tests.pipeline.bundles.packaging.tools import tool

# PlatformIO fetches the list of licences for its check.
CHECK = """\
import sys
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema
ManifestSchema.load_spdx_licenses = staticmethod(lambda: {"licenses": [{"licenseId": "Apache-2.0"}]})
print(ManifestSchema().load_manifest(ManifestParserFactory.new_from_dir(sys.argv[1]).as_dict())["version"])
"""


def test_what_the_manifest_names_is_there(blocks: Package) -> None:
    files = files_of(blocks, FORMATS["platformio"])
    manifest = json.loads(files["library.json"])
    assert manifest["version"] == blocks.version
    assert all(f"src/{header}" in files for header in manifest["headers"])
    for example in manifest["examples"]:
        assert all(f"{example['base']}/{file}" in files for file in example["files"])
    assert manifest["platforms"] == ["*"]


def test_platforms_by_core() -> None:
    assert platforms(kinds_of(["rv32imc"])) == ["espressif32", "gd32v"]
    assert "ststm32" in platforms(kinds_of(["cortex-m4"]))
    assert platforms(kinds_of(["cortex-m4", "portable"])) == ["*"]


@pytest.mark.slow
def test_platformio_takes_it(blocks: Package, tmp_path: Path) -> None:
    folder = spread(files_of(blocks, FORMATS["platformio"]), tmp_path / "p")
    done = tool("python", "-c", CHECK, folder, cwd=tmp_path, home=tmp_path)
    assert done.stdout.splitlines()[-1] == blocks.version, done.stderr
    wrong = platformio_files(replace(blocks, model_version="one"))["library.json"]
    (folder / "library.json").write_text(wrong)
    done = tool("python", "-c", CHECK, folder, cwd=tmp_path, home=tmp_path)
    assert "Invalid semantic versioning format" in done.stderr
