# SPDX-License-Identifier: Apache-2.0
"""A report with the proportions of a real one: R14 with four depth modes on a Cortex-M4."""

from dimmer.pipeline.artifacts.firmware import (
    ArenaBuffer,
    FirmwareStack,
    PolicyTier,
    StackDepth,
    Step,
    Switch,
    Verification,
)
from dimmer.pipeline.artifacts.report import (
    BatterySample,
    Candidate,
    Flash,
    LayerFlash,
    ModeFigures,
    Ram,
    ReportData,
)
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.energy.account import Counted, account
from dimmer.pipeline.modes.mode import Mode, NetworkCost
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.targets.power.constants import load_board

COST = NetworkCost(443_008, ((4_718_592, 4_718_592), (3_670_016, 4_718_592), (3_670_016, 4_718_592)))
PUBLISHED = {
    "88.88.88": (0.9024, 0.9031),
    "80.88.88": (0.8988, 0.8992),
    "80.80.88": (0.8941, 0.8950),
    "80.80.80": (0.8893, 0.8899),
}
VALIDATION = {
    **{name: accuracies[0] for name, accuracies in PUBLISHED.items()},
    "88.80.88": 0.884,
    "88.88.80": 0.8835,
    "88.80.80": 0.879,
    "80.88.80": 0.886,
}


def example() -> ReportData:
    """All figures present but for the switch's instructions."""
    modes = tuple(_mode(name, *accuracies) for name, accuracies in PUBLISHED.items())
    return ReportData(
        model="cifar10-r14",
        target="mps2-an386",
        dataset="cifar10",
        generator_version="0.1.0",
        flash=Flash(weights=173_296, tables=11_480, code=14_208, total=198_984, single_mode_total=191_004),
        ram=Ram(arena=49_152, scratch=20_480, stack=1_024, total=70_912, single_mode_arena=49_152),
        stack=FirmwareStack(1_200, 32, 108, (StackDepth("dimmer_init", 60, ("dimmer_init", "memset")),), ()),
        switch=Switch(instructions=None, bytes_of_flash_per_extra_mode=2_660),
        modes=modes,
        candidates=tuple(
            Candidate(name, _macs(name), 64 * _macs(name), accuracy + 0.003, name in PUBLISHED, "best of its cost")
            for name, accuracy in VALIDATION.items()
        ),
        policy=tuple(
            PolicyTier(name, charge, millivolts, 30, 60)
            for name, charge, millivolts in zip(PUBLISHED, (600, 400, 200, 0), (3600, 3500, 3400, 0), strict=True)
        ),
        stages=(StageResult("train", 4210.5, False), StageResult("calibrate", 38.2, True)),
        energy=account(
            load_board("nucleo-l4r5zi"), Duty(), [Counted(mode.name, mode.instructions, mode.cycles) for mode in modes]
        ),
        notes={
            "energy.constants[*].date": "not measured",
            "energy.constants[*].trace": "not measured",
            "switch.instructions": "the board has no counter for so short a stretch",
            "modes[*].energy_uj": "modelled: instructions x 0.31 nJ, targets/mps2-an386/target.toml [energy]",
        },
        steps=_steps(),
        arena=_arena(),
        layers=_layers(),
        battery=_battery(),
        battery_note="Simulated: 220 mAh, one inference a second, no harvest.",
    )


def _macs(name: str) -> int:
    return Mode.parse(name).macs(COST)


def _mode(name: str, accuracy: float, accuracy_float: float) -> ModeFigures:
    macs = _macs(name)
    instructions = round(macs * 0.62) + 600_000
    check = Verification(samples=100, mismatches=0, backend="QEMU mps2-an386")
    energy = instructions * 0.31e-3
    cycles = round(1.6 * instructions)
    return ModeFigures(name, macs, 64 * macs, accuracy, accuracy_float, instructions, energy, check, cycles, "model")


def _steps() -> tuple[Step, ...]:
    steps = []
    for name in PUBLISHED:
        for layer, share in (("stem", 0.1), ("0.0.conv1", 0.5), ("head", 0.4)):
            cycles = round(share * _macs(name))
            spent = {"loads": cycles // 2, "products": cycles - cycles // 2}
            steps.append(Step(name, layer, "dimmer_conv2d_s8", cycles // 2, cycles // 3, cycles, "model", spent))
    return tuple(steps)


def _arena() -> tuple[ArenaBuffer, ...]:
    sizes = [3072, 16384, 16384, 16384, 16384, 16384, 8192, 8192, 8192, 8192, 4096, 4096, 4096, 4096, 64, 10]
    buffers = []
    for mode in PUBLISHED:
        skipped = mode.count("0") * 2
        for step, size in enumerate(sizes[: len(sizes) - skipped]):
            residual = 3 if step % 3 == 1 else 1
            buffers.append(ArenaBuffer(mode, f"t{step}", 16384 * (step % 3), size, step, step + residual))
    return tuple(buffers)


def _layers() -> tuple[LayerFlash, ...]:
    everyone = tuple(PUBLISHED)
    layers = [LayerFlash("stem", 432, 288, everyone)]
    for stage, width in enumerate((16, 32, 64)):
        readers = tuple(name for name in PUBLISHED if Mode.parse(name).blocks[stage][1])
        for block, who in enumerate((everyone, readers)):
            for conv in (1, 2):
                inputs = width // 2 if stage and block == 0 and conv == 1 else width
                label = f"{stage}.{block}.conv{conv}"
                layers.append(LayerFlash(label, 9 * inputs * width, 9 * width * len(who), who))
    return (*layers, LayerFlash("head", 640, 90, everyone))


def _battery() -> tuple[BatterySample, ...]:
    samples, charge, names = [], 1000.0, list(PUBLISHED)
    for hour in range(0, 400, 2):
        tier = sum(charge < threshold for threshold in (600, 400, 200))
        samples.append(BatterySample(3600.0 * hour, charge, names[tier]))
        charge = max(charge - (7.5, 6.2, 5.0, 3.6)[tier], 0.0)
    return tuple(samples)
