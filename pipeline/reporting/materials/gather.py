# SPDX-License-Identifier: Apache-2.0
"""What something was made of, from the manifests that the stages left and from the files themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import bundle_folder, bundle_stage_folder, module_folder
from dimmer.pipeline.artifacts.calibration import calibration_folder
from dimmer.pipeline.artifacts.checkpoint import gates_folder, training_folder
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.npu import npu_folder
from dimmer.pipeline.artifacts.trained import shipped_checkpoint, shipped_gates
from dimmer.pipeline.artifacts.verification import Verified, verify_folder
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.core.stage import MANIFEST
from dimmer.pipeline.core.targets import tool_versions
from dimmer.pipeline.data.licences import TERMS
from dimmer.pipeline.data.registry import dataset_hash

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext
    from dimmer.targets import Target

_IMAGES = ("firmware.bin", "firmware_weights.bin", "firmware.elf", "firmware.hex", "firmware.uf2")
"""What is flashed, the plainest first."""


@dataclass(frozen=True)
class FileMaterial:
    """A file.

    Attributes:
        name: relative to where the bill lies, or without a folder where it lies elsewhere.
        use: what it is, in a word or two.
        sha256: of its contents.
        bytes: its size.
    """

    name: str
    use: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class DataMaterial:
    """The data that a network learnt from.

    Attributes:
        sha256: over the contents of its files.
        terms: an SPDX identifier or the authors' words; empty where nobody has stated them to Dimmer.
    """

    name: str
    sha256: str
    terms: str


@dataclass(frozen=True)
class Materials:
    """What a firmware or a bundle was made of.

    Attributes:
        subject: what is flashed or installed: the first is what the bill is of.
        sources: weights, recipe, converted modes.
        data: None where the modes are files that came alone.
        tools: command -> the version that it tells; library that is linked -> SHA-256.
        packages: Python's, distribution -> version.
        code: SHA-256 over the names and hashes of every file of Dimmer that took part.
        test_images: that accuracies are shares of; None where nothing was measured.
    """

    subject: tuple[FileMaterial, ...]
    sources: tuple[FileMaterial, ...]
    data: DataMaterial | None
    tools: Mapping[str, str]
    packages: Mapping[str, str]
    code: str
    test_images: int | None


def gather(context: BuildContext) -> Materials:
    """The materials of a build.

    Raises:
        DimmerError: a stage's manifest or file is missing or damaged.
    """
    build, target, recipe = context.build_dir, context.target, context.recipe
    gated = recipe.gates.epochs > 0
    bundled = target.engine == "tvm"
    folder_of = {"tvm": bundle_stage_folder, "ethos-u": npu_folder}.get(target.engine, firmware_folder)
    made_in = folder_of(build, target.name)
    stages = [training_folder(build), *([gates_folder(build)] if gated else [])]
    stages += [calibration_folder(build), build / "export", converted_folder(build)]
    stages += [*([module_folder(build, target.name)] if bundled else []), made_in]
    keys = [_key(folder) for folder in stages if (folder / MANIFEST).is_file()]
    if bundled:
        subject = _files(
            _within(context.target_dir, bundle_folder(build, target.name).rglob("*")), "part of the bundle"
        )
    else:
        subject = _images(made_in)
    calibration = calibration_folder(build) / "calibration.json"
    sources = [*_files([(recipe.path.name, recipe.path)], "recipe")]
    sources += _files([_weights(shipped_checkpoint(recipe), training_folder(build))], "weights")
    sources += _files([_weights(shipped_gates(recipe), gates_folder(build))] if gated else [], "weights of the gates")
    sources += _files([(calibration.name, calibration)], "calibration")
    for folder, suffix in ((build / "export", ".onnx"), (converted_folder(build), ".tflite")):
        paths = [path for path in sorted(folder.glob(f"*{suffix}")) if not path.name.endswith(".float.tflite")]
        sources += _files([(f"modes/{path.name}", path) for path in paths], f"mode as {suffix}")
    name = recipe.model.dataset
    verified = Verified.load(verify_folder(build, target.name if folder_of is firmware_folder else "host"))
    return Materials(
        subject=subject,
        sources=tuple(sources),
        data=DataMaterial(name, dataset_hash(recipe.source), TERMS.get(name, "")),
        tools=_tools(keys),
        packages=_merged(_strings(key.get("packages")) for key in keys),
        code=_code(_merged(_strings(key.get("code")) for key in keys)),
        test_images=verified.test_images,
    )


def gather_foreign(files: Sequence[Path], target: Target, out: Path) -> Materials:
    """The materials of a firmware of `.tflite` files that came alone.

    Args:
        out: where the firmware lies.
    """
    return Materials(
        subject=_images(out),
        sources=_files([(path.name, path) for path in files], "mode as .tflite, as it came"),
        data=None,
        tools=tool_versions(target),
        packages={},
        code="",
        test_images=None,
    )


def _images(folder: Path) -> tuple[FileMaterial, ...]:
    images = [folder / name for name in _IMAGES if (folder / name).is_file()]
    if not images:
        raise DimmerError(f"{folder} has no image; type dimmer build again")
    sources = _within(folder, folder.glob("dimmer_*.[ch]"))
    return (*_files([(path.name, path) for path in images], "image"), *_files(sources, "generated C"))


def _files(named: Iterable[tuple[str, Path]], use: str) -> tuple[FileMaterial, ...]:
    found = []
    for name, path in named:
        if not path.is_file():
            raise DimmerError(f"{path} is missing, and the bill of materials needs it: type dimmer build again")
        found.append(FileMaterial(name, use, file_hash(path), path.stat().st_size))
    return tuple(found)


def _weights(shipped: Path, folder: Path) -> tuple[str, Path]:
    return shipped.name, shipped if shipped.is_file() else folder / shipped.name


def _within(folder: Path, paths: Iterable[Path]) -> list[tuple[str, Path]]:
    return [(path.relative_to(folder).as_posix(), path) for path in sorted(paths) if path.is_file()]


def _key(folder: Path) -> dict[str, object]:
    try:
        return {**json.loads((folder / MANIFEST).read_text())["key"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DimmerError(f"{folder / MANIFEST} is damaged ({error}): remove {folder} and build again") from error


def _strings(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from ((str(name), text) for name, text in value.items() if isinstance(text, str))


def _merged(parts: Iterable[Iterable[tuple[str, str]]]) -> dict[str, str]:
    return {name: text for part in parts for name, text in part}


def _tools(keys: Iterable[Mapping[str, object]]) -> dict[str, str]:
    # The data set's hash stands among the contents, too.
    return {
        name: text for name, text in _merged(_strings(key.get("contents")) for key in keys).items() if name != "data"
    }


def _code(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256(
        "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()
    ).hexdigest()
