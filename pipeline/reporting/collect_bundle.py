"""Gathering for a target that takes a bundle: the bundle's figures, and the accuracies that the host measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.artifacts.bundle import RESULT, stage_folder
from dimmer.pipeline.artifacts.figures import generator_version, read_figures
from dimmer.pipeline.artifacts.report import (
    Candidate,
    Flash,
    ModeFigures,
    PolicyTier,
    Ram,
    ReportData,
    Switch,
    Verification,
)
from dimmer.pipeline.core.stage import Json, StageResult

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext

GPU_FIGURES = ("latency_us", "engine_bytes", "scratch_bytes")


def collect_bundle(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """As collect, for a target whose engine is TVM.

    Raises:
        DimmerError: a stage's file is missing.
    """
    calibration = read_figures(context.build_dir / "calibrate" / "calibration.json")
    bundle = read_figures(stage_folder(context.build_dir, context.target.name) / RESULT)
    verified = read_figures(context.build_dir / "host" / "verify" / "verify.json")
    return ReportData(
        model=context.recipe.name,
        target=context.target.name,
        dataset=context.recipe.model.dataset,
        generator_version=generator_version(),
        flash=Flash(weights=bundle["bytes"]["weights"], tables=None, code=None, total=None, single_mode_total=None),
        ram=Ram(arena=None, scratch=None, stack=None, total=None, single_mode_arena=None),
        switch=Switch(instructions=None, bytes_of_flash_per_extra_mode=None),
        modes=tuple(_mode(entry, calibration, verified) for entry in bundle["modes"]),
        candidates=tuple(
            Candidate(**{key: mode[key] for key in Candidate.__dataclass_fields__}) for mode in calibration["modes"]
        ),
        policy=tuple(PolicyTier(**tier) for tier in bundle["policy"]),
        stages=tuple(stages),
        notes=_notes(verified["test_images"]),
        bundle=_document(bundle),
    )


def _mode(entry: Mapping[str, Any], calibration: Mapping[str, Any], verified: Mapping[str, Any]) -> ModeFigures:
    name = entry["name"]
    costs = next(mode for mode in calibration["modes"] if mode["name"] == name)
    measured = next(mode for mode in verified["modes"] if mode["name"] == name)
    return ModeFigures(
        name=name,
        macs=costs["macs"],
        bit_operations=costs["bit_operations"],
        accuracy=measured["accuracy"],
        accuracy_float=measured["accuracy_float"],
        instructions=None,
        energy_uj=None,
        verify=Verification(**entry["verify"]),
    )


def _document(bundle: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "version": bundle["version"],
        "architecture": bundle["architecture"],
        "tvm": bundle["tvm"],
        "bytes": bundle["bytes"],
        "latency_us": None,
        "gpu": dict.fromkeys(GPU_FIGURES),
    }


def _notes(test_images: int) -> dict[str, str]:
    elsewhere = "a bundle lies on a disk and TVM allocates what it needs: see bundle.bytes"
    notes = {f"flash.{key}": elsewhere for key in ("tables", "code", "total", "single_mode_total")}
    notes |= {f"ram.{key}": elsewhere for key in Ram.__dataclass_fields__}
    notes |= {f"switch.{key}": "a mode is another function of the library" for key in Switch.__dataclass_fields__}
    notes["modes[*].instructions"] = "qemu-aarch64 counts no instructions"
    notes["modes[*].energy_uj"] = "targets/jetson/target.toml has no [energy]"
    notes["modes[*].accuracy"] = f"of {test_images:,} test images, by the C code on the host, which is as bit-exact"
    notes["bundle.latency_us"] = "emulation tells no time: dimmer-run measures it on the board"
    for key in GPU_FIGURES:
        notes[f"bundle.gpu.{key}"] = "no GPU was at hand: tensorrt/build_engines.py measures it on the board"
    return notes
