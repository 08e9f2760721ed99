"""Firmware: the modes' `.tflite` files -> C -> something to flash, with every figure that the report tells of it.

python -m pipeline.firmware --model mnist5k-r14 --target mps2-an386
python -m pipeline.firmware --tflite network.tflite --target mps2-an386

The folder that it leaves holds firmware.elf (.hex, .bin), the generated C, and `firmware.json`:

    model, target                        names
    flash     weights, tables, code, total, single_mode_total, runtime_code         bytes
    ram       arena, scratch, stack, total, single_mode_arena, lower_bound, arena_without_scratch      bytes
    switch    instructions, bytes_of_flash_per_extra_mode
    gates     instructions of all gates in one inference, share_of_top_mode; null without gates
    modes     [{name, macs, instructions, verify}]; verify is {samples, mismatches, backend} or null
    policy    [{mode, min_charge_permille, min_millivolts, hysteresis_permille, dwell_s}]
    buffers   [{mode, name, offset, size, first_step, last_step}]
    layers    [{layer, bytes, modes}]
    steps     [{mode, layer, kernel, macs, instructions}], in the order in which they run
    choices   [{layer, chosen, allowed, others}]: kernels of layers that have a choice, each {kernel, scratch,
              instructions}, the last as the cost model expects them; others are faster or need less scratch
    left_out  [{mode, instructions, reason}]: published modes that are not worth running on this target
    notes     place of a null -> why
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dimmer.calibration.selection import dominated, on_target
from dimmer.firmware_gen.emit import KnownAnswers
from dimmer.firmware_gen.gates import MODE_GATED, GateSet
from dimmer.firmware_gen.generate import GeneratedModel, ModeSource, generate, tables_of
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.firmware_gen.tables import PolicyConfig, Tier, even_policy
from dimmer.pipeline.calibrate import RESULT as CALIBRATION
from dimmer.pipeline.calibrate import Calibration, load_calibration
from dimmer.pipeline.checkpoint import find_gates
from dimmer.pipeline.command import (
    build_folder,
    builds,
    load_firmware_target,
    main_of,
    model_option,
    progress_bar,
    scratch_option,
    with_scratch_limit,
)
from dimmer.pipeline.errors import DimmerError
from dimmer.pipeline.firmware_figures import figures_of, print_figures
from dimmer.pipeline.networks.gate_config import budget_level
from dimmer.pipeline.oracle import OracleFailure, OracleJob, reference_outputs, run_oracle
from dimmer.pipeline.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe_sections import PolicySection
from dimmer.pipeline.sample_inputs import sample_inputs
from dimmer.pipeline.stage import ROOT, Json, StageResult, atomic_write, run_stage
from dimmer.targets import APPLICATION, SectionSizes, Target

CODE = (
    "pipeline/firmware.py",
    "pipeline/firmware_figures.py",
    "pipeline/elf_shares.py",
    "pipeline/sample_inputs.py",
    "pipeline/gates_int.py",
    "calibration/selection.py",
    "pipeline/oracle.py",
    "firmware_gen",
    "targets",
    "requirements.txt",
)
RESULT = "firmware.json"
SAMPLES = 100

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Order:
    """What to make a firmware of.

    Attributes:
        name: of the model.
        modes: the most expensive first.
        policy: tiers name modes by their place in `modes`.
        known_input: one input, in the model's input type, for the self-test.
        samples: random inputs per mode to compare with the interpreter, and as many edge cases; 0 leaves that to
            `pipeline.verify`.
        gates: that choose blocks of these modes.
    """

    name: str
    modes: tuple[ModeSource, ...]
    policy: PolicyConfig
    known_input: bytes
    samples: int = 0
    gates: GateSet | None = None


@dataclass(frozen=True)
class Compiled:
    """One generated and compiled firmware."""

    model: GeneratedModel
    elf: Path
    sizes: SectionSizes

    @property
    def flash(self) -> int:
        """Bytes of flash in all."""
        return self.sizes.text + self.sizes.rodata + self.sizes.data


def firmware_folder(build: Path, target: str) -> Path:
    """Where `run` leaves firmware.elf and firmware.json."""
    return build / target / "firmware"


def firmware_modes(build: Path, target: str) -> tuple[str, ...]:
    """Names of the modes in a target's firmware, in the order of their ids."""
    figures = json.loads((firmware_folder(build, target) / RESULT).read_text())
    return tuple(mode["name"] for mode in figures["modes"])


def compile_modes(order: Order, modes: Sequence[ModeSource], target: Target, out: Path) -> Compiled:
    """Generates and compiles a firmware of these modes in `out`.

    Raises:
        FirmwareGenError: the modes' files.
        DimmerError: the interpreter cannot run one of them.
        TargetError: the compiler.
    """
    # The top mode alone is measured too, and has nothing to choose from.
    gates = order.gates if len(modes) == len(order.modes) else None
    tables_of(modes, PolicyConfig(), gates)
    outputs = []
    for mode, answer in zip(modes, run_oracle([OracleJob(m.path, order.known_input) for m in modes]), strict=True):
        if isinstance(answer, OracleFailure):
            raise DimmerError(
                f"{mode.path.name}: the stock TFLite interpreter cannot run it ({answer.reason}); convert it again"
            )
        outputs.append(answer)
    known = KnownAnswers(order.known_input, tuple(outputs))
    policy = _policy_for(order.policy, len(modes), gates is not None)
    model = generate(modes, out, policy, known, target.scratch_limit, order.name, gates, target.core)
    generated = [path for path in model.files if path.suffix == ".c"]
    elf = target.compile([*generated, *sources(model.kernels), *APPLICATION], [out, INCLUDE], out)
    return Compiled(model, elf, target.size(elf))


def _policy_for(policy: PolicyConfig, modes: int, gated: bool) -> PolicyConfig:
    """The policy of a firmware that has only the first `modes` modes."""
    kept = tuple(tier for tier in policy.tiers if tier.mode < modes or (gated and tier.mode == MODE_GATED))
    return policy if kept == policy.tiers else replace(policy, tiers=kept if modes > 1 else ())


def make(
    order: Order,
    target: Target,
    out: Path,
    progress: Progress,
    left_out: Sequence[Mapping[str, Any]] = (),
    idle: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Writes the firmware of all modes and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        left_out: modes that are not among the order's, for the record.
        idle: mode that the policy does not use -> the one that is better there, for the record.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `compile_modes`.
    """
    progress("generating and compiling", 0.0)
    if len(order.modes) > 1:
        with tempfile.TemporaryDirectory() as single, ThreadPoolExecutor(2) as pool:
            alone = pool.submit(compile_modes, order, order.modes[:1], target, Path(single))
            full = compile_modes(order, order.modes, target, out)
            top = alone.result()
    else:
        full = top = compile_modes(order, order.modes, target, out)
    progress("self-test and bench", 0.3)
    _check_known_answers(target, full, out)
    events = [
        event
        for command in ("bench", "layers")
        for event in _run(target, full.elf, [command], out, count=target.counts_instructions)
    ]
    verification: dict[str, dict[str, Any]] = {}
    if order.samples:
        verification = verify_modes(order, target, full, progress)
    runtime_files = {path.name for path in sources()}
    figures = figures_of(order, target, full, top, events, verification, runtime_files)
    figures["left_out"] = list(left_out)
    if idle:
        text = ", ".join(
            f"{mode} ({better} takes fewer instructions and predicts no worse)" for mode, better in idle.items()
        )
        figures["notes"]["policy"] = f"in flash, but not in the policy: {text}"
    atomic_write(out / RESULT, json.dumps(figures, indent=1) + "\n")
    return figures


def _run(target: Target, elf: Path, arguments: Sequence[str], cwd: Path, count: bool = False) -> list[dict[str, Any]]:
    """The JSON lines that a firmware writes."""
    done = target.run(elf, arguments, cwd, count=count)
    events = []
    for line in done.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError as error:
            raise DimmerError(
                f"{target.name}: the firmware wrote {line[:80]!r}, which is no JSON; report it"
            ) from error
        events.append(event)
    return events


def _check_known_answers(target: Target, full: Compiled, out: Path) -> None:
    events = _run(target, full.elf, ["selftest"], out)
    failed = [event["mode"] for event in events if event.get("event") == "selftest" and not event["ok"]]
    if failed or len(events) != len(full.model.modes):
        raise DimmerError(
            f"{target.name}: the self-test of {', '.join(failed) or 'some mode'} fails: the firmware does not compute "
            "what the TFLite interpreter does; do not flash it, report it"
        )


def verify_modes(order: Order, target: Target, full: Compiled, progress: Progress) -> dict[str, dict[str, Any]]:
    """Compares every mode with the reference interpreter on random and on edge inputs, on the target.

    Returns:
        mode -> samples, mismatches, backend.
    """
    inputs = sample_inputs(order.modes[0].path, order.samples)
    size, result_size, positions = full.model.input_bytes, full.model.output_bytes, full.model.positions
    count = len(inputs) // size
    found = {}
    for number, mode in enumerate(order.modes):
        progress(f"{mode.name} against the interpreter", 0.4 + 0.6 * number / len(order.modes))
        expected = reference_outputs(mode.path, inputs)
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work)
            parts = [b"DMV1" + struct.pack("<4I", count, size, result_size, positions)]
            parts += [bytes([number]) * positions + inputs[at : at + size] for at in range(0, len(inputs), size)]
            (folder / "in.bin").write_bytes(b"".join(parts))
            _run(target, full.elf, ["verify", "in.bin", "out.bin"], folder)
            raw = (folder / "out.bin").read_bytes()
        step = result_size + positions
        if len(raw) != count * step:
            raise DimmerError(f"{target.name}: {len(raw)} bytes of results, expected {count * step}; it ended early")
        trace = bytes([number]) * positions
        wrong = sum(
            raw[i * step : (i + 1) * step] != expected[i * result_size : (i + 1) * result_size] + trace
            for i in range(count)
        )
        found[mode.name] = {"samples": count, "mismatches": wrong, "backend": target.description}
    return found


def recipe_policy(policy: PolicySection, modes: Sequence[int]) -> PolicyConfig:
    """The recipe's thresholds as tiers: one mode or one budget of the gates each, the last under the last threshold.

    Args:
        modes: ids to choose from, the most expensive first. Where there are more than tiers, the first and the last
            are used, and of the others those spread evenly between.
    """
    if policy.budgets:
        gated = zip((*policy.tiers, 0), policy.budgets, strict=True)
        tiers = tuple(Tier(threshold, 0, MODE_GATED, budget_level(budget)) for threshold, budget in gated)
        return PolicyConfig(tiers, policy.dwell_s, policy.hysteresis_permille)
    steps = min(len(policy.tiers), len(modes) - 1)
    if not steps:
        return PolicyConfig((), policy.dwell_s, policy.hysteresis_permille)
    chosen = [modes[round(i * (len(modes) - 1) / steps)] for i in range(steps + 1)]
    tiers = tuple(Tier(at, 0, mode) for at, mode in zip((*policy.tiers[:steps], 0), chosen, strict=True))
    return PolicyConfig(tiers, policy.dwell_s, policy.hysteresis_permille)


def judge(
    order: Order, calibration: Calibration, target: Target, progress: Progress
) -> tuple[dict[str, str], dict[str, int]]:
    """Counts every mode on the target.

    Returns:
        (mode -> why it is not worth running there, mode -> instructions); nothing where all blocks have 8 bits, as then
        fewer operations are fewer instructions, or where the target cannot count.
    """
    names = [mode.name for mode in order.modes]
    narrow = any(bits in name for name in names for bits in "42")
    if not narrow or not target.counts_instructions:
        return {}, {}
    progress("counting the modes", 0.0)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        events = _run(target, compile_modes(order, order.modes, target, work).elf, ["bench"], work, count=True)
    counted = {event["mode"]: event["instructions"] for event in events if event["event"] == "bench"}
    return on_target(names, counted, {name: calibration.mode(name)["accuracy"] for name in names}), counted


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """The stage: build/<model>/convert -> build/<model>/<target>/firmware."""
    settings: dict[str, Json] = {
        "dataset": recipe.model.dataset,
        "policy": asdict(recipe.policy),
        "target": target.name,
        "scratch_limit": target.scratch_limit,
    }

    def action(out: Path) -> None:
        from dimmer.pipeline.convert import mode_sources
        from dimmer.pipeline.data import load_dataset, to_int8

        modes = tuple(mode_sources(build / "convert"))
        image = to_int8(load_dataset(recipe.model.dataset).test.images[:1]).tobytes()
        calibration = load_calibration(build / "calibrate")
        order = Order(recipe.name, modes, PolicyConfig(), image, gates=recipe_gates(recipe))
        worse, counted = judge(order, calibration, target, progress)
        left_out = {name: why for name, why in worse.items() if not calibration.mode(name)["kept"]}
        kept = tuple(mode for mode in modes if mode.name not in left_out)
        accuracy = {mode.name: calibration.mode(mode.name)["accuracy"] for mode in kept}
        idle = dominated({mode.name: counted[mode.name] for mode in kept}, accuracy) if counted else {}
        useful = [number for number, mode in enumerate(kept) if mode.name not in idle]
        # By what they cost here, which may be another order than that of the bit-operations.
        useful.sort(key=lambda number: (-counted.get(kept[number].name, 0), number))
        order = replace(order, modes=kept, policy=recipe_policy(recipe.policy, useful))
        entries = [{"mode": name, "instructions": counted[name], "reason": why} for name, why in left_out.items()]
        make(order, target, out, progress, entries, idle)

    code = [ROOT / name for name in CODE]
    inputs = [
        build / "convert",
        build / "calibrate" / CALIBRATION,
        *([find_gates(recipe)] if recipe.gates.epochs else []),
    ]
    return run_stage("firmware", firmware_folder(build, target.name), inputs, settings, code, action)


def recipe_gates(recipe: Recipe) -> GateSet | None:
    """The trained gates as integers, where the recipe has gates.

    Raises:
        DimmerError: they were not trained.
    """
    if not recipe.gates.epochs:
        return None
    from dimmer.pipeline.gates_int import integer_gates
    from dimmer.pipeline.train_gates import load_gates

    return integer_gates(load_gates(recipe), recipe.model.config())


def foreign_order(files: Sequence[Path], samples: int = SAMPLES) -> Order:
    """An order for `.tflite` files from anywhere, one mode each, that can be switched between inferences."""
    modes = tuple(ModeSource(path.stem, path) for path in files)
    first = sample_inputs(files[0], 1)
    return Order(files[0].stem, modes, even_policy(len(modes)), first[len(first) // 2 :], samples)


def main(
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A .tflite file; repeat for modes.")] = None,
    model: Annotated[str, model_option] = "mnist5k-r14",
    out: Annotated[Path | None, typer.Option("--out", help="Where to write with --tflite.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="Random inputs to verify with --tflite.")] = SAMPLES,
    scratch_limit: Annotated[int | None, scratch_option] = None,
) -> None:
    """Generate, compile and measure a firmware: of a converted model, or of any int8 .tflite files."""
    chosen = with_scratch_limit(load_firmware_target(target), scratch_limit)
    with progress_bar("firmware") as progress:
        if tflite:
            order = foreign_order(tflite, samples)
            folder = out or builds() / order.name / chosen.name / "firmware"
            code = [ROOT / name for name in CODE]
            settings: dict[str, Json] = {
                "target": chosen.name,
                "samples": samples,
                "scratch_limit": chosen.scratch_limit,
            }

            def action(work: Path) -> None:
                make(order, chosen, work, progress)

            run_stage("firmware", folder, tflite, settings, code, action)
        else:
            recipe = load_recipe(model)
            run(recipe, build_folder(recipe), chosen, progress)
            folder = firmware_folder(build_folder(recipe), chosen.name)
    figures = json.loads((folder / RESULT).read_text())
    print_figures(figures)
    wrong = sum(mode["verify"]["mismatches"] for mode in figures["modes"] if mode["verify"])
    if wrong:
        raise DimmerError(f"{wrong} results differ from the TFLite interpreter's; do not flash it, report the file")
    print(folder)


if __name__ == "__main__":
    main_of(main)
