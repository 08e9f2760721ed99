# SPDX-License-Identifier: Apache-2.0
"""A bill of materials as CycloneDX 1.6 writes it (ECMA-424), model card included.

Two builds of the same bytes give the same bill: nothing in it tells when, where or by whom it was made, and its serial
number comes from the hash of what is flashed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.report import ModeFigures, ReportData
from dimmer.pipeline.core.extras import DISTRIBUTION
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.core.statistics import wilson
from dimmer.pipeline.reporting.materials.gather import DataMaterial, FileMaterial, Materials

BOM = "bom.cdx.json"
"""CycloneDX's own name for such a file."""

_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_NAMESPACE = uuid.UUID("6f6b0a5e-4d5b-5c0c-9b1e-1d0f9c2c7a11")
_LICENCE: list[Json] = [{"license": {"id": "Apache-2.0"}}]


def write_bom(data: ReportData, materials: Materials, folder: Path) -> Path:
    """Write the bill of a build beside its report."""
    path = folder / BOM
    atomic_write(path, json.dumps(bom(data, materials), indent=2, sort_keys=True) + "\n")
    return path


def bom(data: ReportData, materials: Materials) -> dict[str, Json]:
    """The bill of what was built.

    Args:
        data: the report's figures, for the model card: one slice a mode.
        materials: what it was made of.
    """
    subject = materials.subject[0]
    components = [
        _model(data, materials),
        *_named(materials.sources, "source"),
        *_named(materials.subject[1:], "part"),
        *([] if materials.data is None else [_data(materials.data)]),
        _runtime(data.generator_version),
    ]
    return {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{subject.name} {subject.sha256}')}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": list(_tools(data, materials))},
            "component": {
                "type": "firmware",
                "bom-ref": "subject",
                "name": f"{data.model} for {data.target}",
                "version": subject.sha256[:12],
                "hashes": _hashes(subject.sha256),
                "properties": _properties(
                    {"file": subject.name, "bytes": subject.bytes, "abi": ABI, "code": materials.code or None}
                ),
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "subject", "dependsOn": sorted(_ref(part) for part in components)},
            {"ref": "model", "dependsOn": sorted(_ref(part) for part in components if _is_source(part))},
        ],
    }


def _ref(component: Json) -> str:
    assert isinstance(component, Mapping)
    return str(component["bom-ref"])


def _is_source(component: Json) -> bool:
    return _ref(component).startswith(("source:", "data"))


def _named(files: Sequence[FileMaterial], kind: str) -> Iterator[Json]:
    for file in files:
        yield {
            "type": "file",
            "bom-ref": f"{kind}:{file.name}",
            "name": file.name,
            "description": file.use,
            "hashes": _hashes(file.sha256),
            "properties": _properties({"bytes": file.bytes}),
        }


def _data(data: DataMaterial) -> Json:
    found: dict[str, Json] = {
        "type": "data",
        "bom-ref": "data",
        "name": data.name,
        "hashes": _hashes(data.sha256),
        "description": "SHA-256 over the contents of its files",
    }
    if data.terms:
        spdx = "," not in data.terms and " " not in data.terms
        found["licenses"] = [{"license": {"id" if spdx else "name": data.terms}}]
    return found


def _runtime(version: str) -> Json:
    return {
        "type": "library",
        "bom-ref": "runtime",
        "name": "dimmer-runtime",
        "version": version,
        "description": "Engine, kernels and policy, as C99 that is linked in",
        "licenses": _LICENCE,
        "properties": _properties({"abi": ABI}),
    }


def _tools(data: ReportData, materials: Materials) -> Iterator[Json]:
    yield {"type": "application", "name": DISTRIBUTION, "version": data.generator_version, "licenses": _LICENCE}
    for name, told in sorted(materials.tools.items()):
        if name.startswith("/"):
            yield {"type": "library", "name": Path(name).name, "hashes": _hashes(told)}
        else:
            yield {"type": "application", "name": name, "version": told}
    for name, version in sorted(materials.packages.items()):
        purl = f"pkg:pypi/{name}@{quote(version)}"
        yield {"type": "library", "name": name, "version": version, "purl": purl}


def _model(data: ReportData, materials: Materials) -> Json:
    parameters: dict[str, Json] = {
        "approach": {"type": "supervised"},
        "inputs": [{"format": "int8"}],
        "outputs": [{"format": "int8"}],
    }
    if materials.data is not None:
        parameters["datasets"] = [{"ref": "data"}]
        parameters["task"] = "classification"
        parameters["architectureFamily"] = "adaptive depth network"
    else:
        del parameters["approach"]
    metrics = [metric for mode in data.modes for metric in _metrics(mode, materials.test_images)]
    notes = [f"{place}: {why}" for place, why in sorted(data.notes.items()) if place.startswith("modes")]
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": data.model,
        "modelCard": {
            "modelParameters": parameters,
            "quantitativeAnalysis": {"performanceMetrics": metrics},
            "considerations": {"technicalLimitations": notes},
        },
    }


def _metrics(mode: ModeFigures, images: int | None) -> Iterator[Json]:
    reference = Reference.LITERT if mode.verify is None else Reference(mode.verify.reference)
    measured: dict[str, float | int | None] = {
        "accuracy": mode.accuracy,
        "accuracy before quantisation": mode.accuracy_float,
        "multiply-accumulates": mode.macs,
        "instructions": mode.instructions,
        "cycles": mode.cycles,
        "energy in microjoules": mode.energy_uj,
        f"inferences compared with {reference.title}": None if mode.verify is None else mode.verify.samples,
        "of these, mismatches": None if mode.verify is None else mode.verify.mismatches,
    }
    for kind, value in measured.items():
        if value is None:
            continue
        metric: dict[str, Json] = {"type": kind, "value": f"{value:.6g}" if isinstance(value, float) else str(value)}
        if kind.startswith("accuracy") and images:
            low, high = wilson(value, images)
            metric["confidenceInterval"] = {"lowerBound": f"{low:.4f}", "upperBound": f"{high:.4f}"}
        yield {**metric, "slice": f"mode {mode.name}"}


def _hashes(sha256: str) -> Json:
    return [{"alg": "SHA-256", "content": sha256}]


def _properties(values: Mapping[str, object]) -> Json:
    return [{"name": f"dimmer:{name}", "value": str(value)} for name, value in values.items() if value is not None]
