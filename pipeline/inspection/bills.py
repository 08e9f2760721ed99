# SPDX-License-Identifier: Apache-2.0
"""Bills of materials: what one tells, and whether the files beside it are those that it lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.inspection.facts import FileFacts

SUFFIX = ".cdx.json"
BOM = f"bom{SUFFIX}"

_ROWS = 12


def inspect_bill(path: Path) -> FileFacts:
    """What a CycloneDX file tells of a build, checked against the files that lie beside it.

    Raises:
        DimmerError: it cannot be read, or is none.
    """
    document = _read(path)
    listed = listed_files(document)
    metadata = _mapping(document.get("metadata"))
    subject = _mapping(metadata.get("component"))
    facts = [("of", str(subject.get("name", "?"))), ("serial number", str(document.get("serialNumber", "?")))]
    tools = [_mapping(tool) for tool in _list(_mapping(metadata.get("tools")).get("components"))]
    facts += [("tool", _versioned(tool)) for tool in tools[:_ROWS]]
    facts += [("tools", f"{len(tools) - _ROWS} more")] if len(tools) > _ROWS else []
    facts += [("data", _told(part)) for part in _parts(document, "data")]
    for model in _parts(document, "machine-learning-model"):
        facts += list(_slices(model))
    there, problems = [], []
    for name, digest in listed.items():
        file = path.parent / name
        if file.is_file():
            there.append(name)
            if file_hash(file) != digest:
                problems.append(f"{file} is not the file that {path.name} lists: build both again")
    facts.append(("files", f"{len(listed)} listed, {len(there)} of them here, {len(there) - len(problems)} as listed"))
    return FileFacts(str(path), "bill of materials", path.stat().st_size, tuple(facts), tuple(problems))


def beside(path: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What the bill of materials in a file's folder, if there is one, says of that file: facts, problems."""
    bill = path.parent / BOM
    if not bill.is_file():
        return (("checked", "by its own contents alone: no bill of materials lies beside it"),), ()
    digest = listed_files(_read(bill)).get(path.name)
    if digest is None:
        return (("checked", f"by its own contents alone: {BOM} beside it does not list it"),), ()
    if digest != file_hash(path):
        return (), (f"it is not the file that {BOM} beside it lists: build both again",)
    return (("checked", f"the file that {BOM} beside it lists"),), ()


def listed_files(document: Mapping[str, Json]) -> dict[str, str]:
    """Name -> SHA-256 of the files that a bill lists, the subject first."""
    found: dict[str, str] = {}
    subject = _mapping(_mapping(document.get("metadata")).get("component"))
    for part in (subject, *_parts(document, "file")):
        name = part.get("name")
        for one in map(_mapping, _list(part.get("properties"))):
            if one.get("name") == "dimmer:file":
                name = one.get("value")
        for one in map(_mapping, _list(part.get("hashes"))):
            # Only names within the folder: nothing else is looked at, whatever the bill says.
            inside = isinstance(name, str) and not name.startswith("/") and ".." not in Path(name).parts
            if one.get("alg") == "SHA-256" and inside:
                found[str(name)] = str(one.get("content"))
    return found


def _read(path: Path) -> Mapping[str, Json]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DimmerError(f"{path} cannot be read ({error}): build again") from error
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        raise DimmerError(f"{path} is no bill of materials as CycloneDX writes it: build again")
    return document


def _slices(model: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    analysis = _mapping(_mapping(model.get("modelCard")).get("quantitativeAnalysis"))
    rows: dict[str, list[str]] = {}
    for metric in map(_mapping, _list(analysis.get("performanceMetrics"))):
        rows.setdefault(str(metric.get("slice")), []).append(f"{metric.get('type')} {metric.get('value')}")
    yield from ((name, "; ".join(texts)) for name, texts in rows.items())


def _parts(document: Mapping[str, Json], kind: str) -> list[Mapping[str, Json]]:
    return [part for part in map(_mapping, _list(document.get("components"))) if part.get("type") == kind]


def _told(part: Mapping[str, Json]) -> str:
    terms = [_mapping(_mapping(one).get("license")) for one in _list(part.get("licenses"))]
    names = [str(one.get("id") or one.get("name")) for one in terms]
    return f"{part.get('name')}, {', '.join(names) or 'terms not stated'}"


def _versioned(part: Mapping[str, Json]) -> str:
    return f"{part.get('name')} {part.get('version', '')}".strip()


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else ()
