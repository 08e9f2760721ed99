# SPDX-License-Identifier: Apache-2.0
"""What the stages leave of a small model, as they leave it: three modes of which one is not published."""

from dimmer.pipeline.artifacts.bundle import Bundle, BundleBytes, BundledMode
from dimmer.pipeline.artifacts.calibration import CalibratedMode, Calibration, RangeGroup, SiteFigures
from dimmer.pipeline.artifacts.firmware import (
    ArenaBuffer,
    Firmware,
    FirmwareFlash,
    FirmwareMode,
    FirmwareRam,
    FirmwareStack,
    KernelChoice,
    KernelOption,
    LayerConstant,
    LeftOut,
    PolicyTier,
    StackDepth,
    Step,
    Switch,
    Verification,
)
from dimmer.pipeline.artifacts.npu import NpuBytes, NpuFirmware, NpuMode, VerifiedNpu, VerifiedNpuMode
from dimmer.pipeline.artifacts.verification import Outcome, Switches, Verified, VerifiedMode
from dimmer.pipeline.core.scores import Score, Scores

MACS = {"88.88.88": 2_000_000, "80.88.88": 1_500_000, "80.80.80": 1_000_000}
CYCLES = {name: macs * 8 // 5 for name, macs in MACS.items()}
PUBLISHED = ("88.88.88", "80.80.80")
OUTCOME = Outcome(100, 0, None)
SIZES = BundleBytes(weights=60, library=30_000, gpu_library=0, runtime=5_000_000, program=70_000, total=5_200_000)


def calibration() -> Calibration:
    """Every mode with one tensor."""
    return Calibration("mnist5k-r14", 500, tuple(_calibrated(name) for name in MACS), {"stem": _range()})


def _calibrated(name: str) -> CalibratedMode:
    return CalibratedMode(
        name=name,
        macs=MACS[name],
        bit_operations=64 * MACS[name],
        recalibrated=False,
        accuracy_as_trained=0.9,
        accuracy_float=0.9,
        accuracy=0.9,
        loss=0.3,
        published=name in PUBLISHED,
        kept=name in PUBLISHED,
        dominated_by=None,
        reason="best of its cost",
        sites={"stem": SiteFigures("stem", 40.0, 0.0)},
    )


def _range() -> RangeGroup:
    return RangeGroup(0.0, 6.0, "minmax", {"minmax": 0.1}, tuple(MACS))


def tiers() -> tuple[PolicyTier, ...]:
    """One for each published mode."""
    return tuple(PolicyTier(name, charge, 0, 30, 60) for name, charge in zip(PUBLISHED, (500, 0), strict=True))


def firmware() -> Firmware:
    """Counted, and not compared with the interpreter: that is left to verification."""
    option = KernelOption("dimmer_conv2d_s8", 24, 2_000_000)
    return Firmware(
        model="mnist5k-r14",
        target="mps2-an386",
        flash=FirmwareFlash(weights=1000, tables=200, code=300, total=1500, single_mode_total=1400, runtime_code=250),
        ram=FirmwareRam(
            arena=4096,
            scratch=1024,
            stack=512,
            total=5000,
            single_mode_arena=4096,
            lower_bound=4000,
            arena_without_scratch=3072,
        ),
        stack=FirmwareStack(
            600, 32, 108, (StackDepth("dimmer_invoke", 344, ("dimmer_invoke", "dimmer_conv2d_s8")),), ()
        ),
        switch=Switch(9, 100.0),
        gates=None,
        modes=tuple(FirmwareMode(name, MACS[name], MACS[name], None, CYCLES[name], "model") for name in PUBLISHED),
        policy=tiers(),
        buffers=tuple(ArenaBuffer(name, "input", 0, 784, 0, 0) for name in PUBLISHED),
        layers=(
            LayerConstant("stem: weights", 144, PUBLISHED),
            LayerConstant("stem: bias", 64, PUBLISHED[:1]),
            LayerConstant("stem: multipliers", 64, PUBLISHED[:1]),
        ),
        steps=tuple(
            Step(name, "stem", option.kernel, MACS[name], MACS[name], CYCLES[name], "model") for name in PUBLISHED
        ),
        choices=(KernelChoice("stem", option, 26_112, (KernelOption("dimmer_conv2d_s8_dsp", 726, 900_000),)),),
        notes={"modes[*].verify": "left to pipeline.verify"},
        left_out=(),
    )


def verified(target: str = "mps2-an386") -> Verified:
    """Without a mismatch."""
    scores = Scores(1000, ("lamp", "dark"), (Score("accuracy", 0.88, 0.86, 0.9),), ((450, 50), (70, 430)))
    modes = tuple(VerifiedMode(name, 0.88, 0.885, OUTCOME, OUTCOME, scores) for name in PUBLISHED)
    return Verified(target, "QEMU", 1000, modes, Switches(30, Outcome(30, 0, None), Outcome(30, 0, None)), None)


def bundle(backend: str) -> Bundle:
    """Of the published modes."""
    modes = tuple(BundledMode(name, Verification(100, 0, backend)) for name in PUBLISHED)
    return Bundle("0123456789ab", "aarch64", "0.27.0", SIZES, modes, tiers())


def npu_firmware() -> NpuFirmware:
    """Of the published modes, for Ethos-U55-128."""
    modes = tuple(
        NpuMode(name, MACS[name], MACS[name] // 50, 500.0, 885_000, 173_000, stream, own, 40_416, False)
        for name, stream, own in zip(PUBLISHED, (3300, 2600), (4800, 2880), strict=True)
    )
    sizes = NpuBytes(
        blob=180_000,
        shared=160_000,
        single_mode_blob=173_000,
        separate=260_000,
        streams=5900,
        tables=150,
        code=7000,
        total=193_050,
    )
    return NpuFirmware(
        accelerator="ethos-u55-128",
        vela="5.2.0",
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        strategy="Performance",
        modes=modes,
        bytes=sizes,
        arena=41_280,
        ram=41_400,
        rehearsed="qemu-system-arm, a stand-in as driver",
        policy=tiers(),
        left_out=(LeftOut("80.88.88", 30_000, "takes more and is no better"),),
    )


def verified_npu() -> VerifiedNpu:
    """Without a mismatch."""
    modes = tuple(VerifiedNpuMode(name, OUTCOME) for name in PUBLISHED)
    return VerifiedNpu("a model of ethos-u55-128", modes, "equal in the model; never run on silicon")
