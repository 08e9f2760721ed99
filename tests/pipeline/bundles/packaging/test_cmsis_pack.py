# SPDX-License-Identifier: Apache-2.0
"""The CMSIS-Pack: what its description names is in the zip, conditions resolve, components are told apart."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.packaging.cmsis_pack import cmsis_pack_files, cores_of, pack_name, pdsc_name
from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.write import zip_bytes
from tests.pipeline.bundles.packaging.made import of_cores

yaml = pytest.importorskip("yaml", reason="needs pyyaml, see requirements/docs.txt")

ORDER = ["vendor", "name", "description", "url", "license", "releases", "keywords", "conditions", "components"]


def faults(pack: bytes) -> list[str]:
    """What packchk says of a pack, as far as it concerns one without devices."""
    archive = zipfile.ZipFile(io.BytesIO(pack))
    names = archive.namelist()
    (description,) = [name for name in names if name.endswith(".pdsc")]
    root = ElementTree.fromstring(archive.read(description))
    found = [] if [child.tag for child in root] == ORDER else ["order"]
    found += [
        f"no {node.get('name')}"
        for node in root.iter("file")
        if node.get("name", "").rstrip("/") not in names
        and not any(name.startswith(node.get("name", "?")) for name in names)
    ]
    if not (root.findtext("url") or "").endswith("/"):
        found.append("url")
    if f"{root.findtext('vendor')}.{root.findtext('name')}.pdsc" != description:
        found.append("name")
    conditions = {node.get("id") for node in root.iter("condition")}
    used = [node.get("condition") for node in root.iter() if node.get("condition")]
    found += [f"condition {name}" for name in used if name not in conditions]
    components = [tuple(node.get(key) for key in ("Cclass", "Cgroup", "Csub")) for node in root.iter("component")]
    if len(set(components)) < len(components):
        found.append("components")
    return found


def test_a_pack_without_faults(blocks: Package) -> None:
    files = files_of(blocks, FORMATS["cmsis-pack"])
    assert faults(zip_bytes(files, "")) == []
    root = ElementTree.fromstring(files[pdsc_name(blocks)])
    sources = [node.get("name") for node in root.iter("file") if node.get("category") == "sourceC"]
    assert sorted(name for name in sources if name and name.startswith("src/")) == sorted(
        (*blocks.runtime_sources, *blocks.model_sources)
    )
    assert root.findtext("releases/release") == blocks.version


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name="src/dimmer.h"', 'name="src/Dimmer.h"', "no src/Dimmer.h"),
        ('condition="dimmer_blocks"', 'condition="other"', "condition other"),
        ('Csub="dimmer_blocks"', 'Csub="Runtime"', "components"),
        ("<vendor>Dimmer", "<vendor>Other", "name"),
        ("invalid/</url>", "invalid</url>", "url"),
    ],
)
def test_faults_are_found(old: str, new: str, fault: str, blocks: Package) -> None:
    files = files_of(blocks, FORMATS["cmsis-pack"])
    text = files[pdsc_name(blocks)]
    assert old in text
    assert faults(zip_bytes({**files, pdsc_name(blocks): text.replace(old, new)}, "")) == [fault]


def test_names_leave_out_what_follows_the_plus(blocks: Package) -> None:
    assert pack_name(blocks) == "Dimmer.dimmer_blocks.1.0.0.pack"
    layer = yaml.safe_load(cmsis_pack_files(blocks)["dimmer_blocks.clayer.yml"])["layer"]
    assert layer["packs"] == [{"pack": "Dimmer::dimmer_blocks@1.0.0"}]


def test_cores_that_have_tables() -> None:
    assert cores_of(kinds_of(["cortex-m4", "portable"])) == ()
    assert cores_of(kinds_of(["cortex-m0plus"])) == ("Cortex-M0", "Cortex-M0+", "Cortex-M1", "Cortex-M23")
    assert cores_of(kinds_of(["cortex-m55"])) == ("Cortex-M52", "Cortex-M55", "Cortex-M85")
    # A richer core runs the tables of a poorer one, where both have Thumb-2.
    assert {"Cortex-M55", "Cortex-M4", "Cortex-M7"} <= set(cores_of(kinds_of(["cortex-m4"])))
    assert {"Cortex-M55", "Cortex-M4", "Cortex-M3"} <= set(cores_of(kinds_of(["cortex-m3"])))
    assert "Cortex-M3" not in cores_of(kinds_of(["cortex-m4", "cortex-m0plus"]))


def test_conditions_name_the_cores(blocks: Package) -> None:
    package = of_cores(blocks, ["cortex-m3"])
    text = cmsis_pack_files(package)[pdsc_name(package)]
    assert '<accept Dcore="Cortex-M3"/>' in text
    assert faults(zip_bytes(files_of(package, FORMATS["cmsis-pack"]), "")) == []
    with pytest.raises(DimmerError, match="CMSIS-Packs are for Arm's cores"):
        cmsis_pack_files(of_cores(blocks, ["rv32imc"]))
