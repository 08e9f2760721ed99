"""Verification: the C runtime, on the host and on the target, against the TFLite interpreter, bit for bit.

Every mode on test images, and mid-inference switches against the interpreter's result for the block-wise mixed graph.
Then every mode's accuracy on the whole test set, computed by the C engine on the host, which by then has been shown
to be equal.

    python -m pipeline.verify --model mnist5k-r14 --target mps2-an386
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.checkpoint import find_checkpoint, find_gates
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.firmware import firmware_folder, firmware_modes
from dimmer.pipeline.artifacts.verification import RESULT, verify_folder
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import ROOT, StageResult, atomic_write, run_stage
from dimmer.pipeline.core.targets import load_firmware_target
from dimmer.pipeline.image.records import WORKERS, Record, run_records
from dimmer.pipeline.modes.mode import Mode, super_mode
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.targets import Target, load_target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dimmer.pipeline.networks import Network

    Int8 = npt.NDArray[np.int8]

CODE = (
    "pipeline/verify.py",
    "pipeline/verify_gated.py",
    "pipeline/networks/gates/integer.py",
    "pipeline/oracle/splice.py",
    "pipeline/oracle/tflite.py",
    "pipeline/oracle/interpreter.py",
    "pipeline/networks",
    "pipeline/data",
)
RANDOM_SCHEDULES = 16
SEED = 1


@dataclass(frozen=True)
class Outcome:
    """What came of comparing one backend.

    Attributes:
        samples: inferences compared.
        mismatches: those of which any output byte, or the mode of any block, differed.
        first: index of the first mismatching record, or None.
    """

    samples: int
    mismatches: int
    first: int | None


def switch_schedules(modes: int, positions: int, seed: int = SEED) -> list[tuple[int, ...]]:
    """Schedules that change mode within an inference: at every boundary, down and up, and at random.

    Returns:
        Nothing for a single mode or a single position.
    """
    import numpy as np

    if modes < 2 or positions < 2:
        return []
    last = modes - 1
    found = []
    for at in range(1, positions):
        found.append((0,) * at + (last,) * (positions - at))
        found.append((last,) * at + (0,) * (positions - at))
    rng = np.random.default_rng(seed)
    found += [tuple(int(m) for m in rng.integers(0, modes, positions)) for _ in range(RANDOM_SCHEDULES)]
    return list(dict.fromkeys(found))


def oracle(sources: Sequence[ModeSource], records: Sequence[Record], images: Int8) -> Int8:
    """The interpreter's outputs with its reference kernels: int8[len(records), output].

    Args:
        images: int8[N,H,W,C].

    Raises:
        DimmerError: the interpreter refuses a mode's file.
    """
    import numpy as np

    from dimmer.pipeline.oracle.splice import splice

    by_schedule: dict[tuple[int, ...], list[int]] = {}
    for i, record in enumerate(records):
        by_schedule.setdefault(record.schedule, []).append(i)
    outputs: dict[int, Int8] = {}
    with tempfile.TemporaryDirectory() as work:
        jobs = []
        for number, (schedule, members) in enumerate(by_schedule.items()):
            model = sources[schedule[0]].path
            if len(set(schedule)) > 1:
                model = Path(work) / f"mixed{number}.tflite"
                model.write_bytes(splice(sources, schedule))
            jobs.append(OracleJob(model, b"".join(images[records[i].image].tobytes() for i in members)))
        with ThreadPoolExecutor(WORKERS) as pool:
            halves = list(pool.map(run_oracle, [jobs[w::WORKERS] for w in range(WORKERS)]))
        for number, (schedule, members) in enumerate(by_schedule.items()):
            answer = halves[number % WORKERS][number // WORKERS]
            if isinstance(answer, OracleFailure):
                raise DimmerError(
                    f"the TFLite interpreter cannot run schedule {schedule}: {answer.reason}; convert again"
                )
            rows = np.frombuffer(answer, np.int8).reshape(len(members), -1)
            outputs.update(zip(members, rows, strict=True))
    return np.stack([outputs[i] for i in range(len(records))])


def compare(records: Sequence[Record], expected: Int8, outputs: Int8, ran: npt.NDArray[np.uint8]) -> Outcome:
    """Counts the records whose output or trace of modes differs in any byte."""
    import numpy as np

    wanted = np.array([record.schedule for record in records], np.uint8)
    wrong = (outputs != expected).any(1) | (ran != wanted).any(1)
    return Outcome(len(records), int(wrong.sum()), int(np.argmax(wrong)) if wrong.any() else None)


def verify(recipe: Recipe, build: Path, target: Target, out: Path, progress: Progress) -> None:
    """Writes `verify.json` into `out`.

    Raises:
        DimmerError: any mismatch; the message names mode, image and backend.
    """
    import numpy as np
    import torch

    from dimmer.pipeline.artifacts.checkpoint import load_network
    from dimmer.pipeline.data import load_dataset
    from dimmer.pipeline.data.encoding import to_input, to_int8
    from dimmer.pipeline.networks.deploy import deploy
    from dimmer.pipeline.networks.measure import measure

    modes_of = {name: firmware_modes(build, name) for name in ("host", target.name)}
    sources = [source for source in mode_sources(build / "convert") if source.name in modes_of[target.name]]
    ids = {name: [found.index(source.name) for source in sources] for name, found in modes_of.items()}
    positions = len(sources[0].boundaries) + 1
    test = load_dataset(recipe.model.dataset).test
    images = to_int8(test.images)
    count = min(recipe.verify.images, len(test))
    records = [Record((m,) * positions, i) for m in range(len(sources)) for i in range(count)]
    mixed = [Record(s, i % count) for i, s in enumerate(switch_schedules(len(sources), positions))]
    records += mixed
    progress("oracle: the TFLite interpreter", 0.0)
    expected = oracle(sources, records, images)
    output_bytes = expected.shape[1]

    backends = {"host": load_target("host"), target.name: target}
    outcomes: dict[str, list[Outcome]] = {}
    for step, (name, backend) in enumerate(backends.items()):
        finished = 0

        def done(n: int, name: str = name, step: int = step) -> None:
            nonlocal finished
            finished += n
            progress(f"{name} against the interpreter", 0.2 + 0.3 * (step + finished / len(records)))

        outputs, ran = run_records(
            backend,
            firmware_folder(build, backend.name) / "firmware.elf",
            ids[name],
            records,
            images,
            output_bytes,
            done,
        )
        outcomes[name] = []
        for m in range(len(sources)):
            part = slice(m * count, (m + 1) * count)
            outcomes[name].append(compare(records[part], expected[part], outputs[part], ran[part]))
        if mixed:
            part = slice(len(sources) * count, len(records))
            outcomes[name].append(compare(mixed, expected[part], outputs[part], ran[part]))
    _refuse_mismatches(sources, outcomes)

    network, calibration = load_network(recipe, find_checkpoint(recipe)), load_calibration(build / "calibrate")
    labels = torch.from_numpy(test.labels)
    modes: list[dict[str, Any]] = []
    for m, source in enumerate(sources):
        progress(f"test accuracy of {source.name}", 0.8 + 0.2 * m / len(sources))
        everything = [Record((m,) * positions, i) for i in range(len(test))]
        host_elf = firmware_folder(build, "host") / "firmware.elf"
        outputs, _ = run_records(
            backends["host"], host_elf, ids["host"], everything, images, output_bytes, lambda _n: None
        )
        net = deploy(network, Mode.parse(source.name), calibration.statistics(source.name))
        modes.append(
            {
                "name": source.name,
                "accuracy": float(np.mean(outputs.argmax(1) == test.labels)),
                "accuracy_float": measure(net, to_input(test.images), labels).accuracy,
                "host": asdict(outcomes["host"][m]),
                "target": asdict(outcomes[target.name][m]),
            }
        )
    gated = None
    if recipe.gates.epochs:
        gated = verify_gates(recipe, build, backends, sources, network, progress)
    result = {
        "target": target.name,
        "backend": target.description,
        "test_images": len(test),
        "modes": modes,
        "switches": {
            "schedules": len(mixed),
            "host": asdict(outcomes["host"][-1]) if mixed else None,
            "target": asdict(outcomes[target.name][-1]) if mixed else None,
        },
        "gates": gated,
    }
    atomic_write(out / RESULT, json.dumps(result, indent=1) + "\n")


def verify_gates(
    recipe: Recipe,
    build: Path,
    backends: Mapping[str, Target],
    sources: Sequence[ModeSource],
    network: Network,
    progress: Progress,
) -> dict[str, Any]:
    """Compares gated runs, each with another budget, and measures each of the recipe's budgets on the whole test set.

    Args:
        backends: name -> target; "host" is among them.

    Returns:
        share_of_macs; samples and for each backend mismatches; budgets: [{budget, accuracy, cost, modes, agreement}],
        where agreement is the share of the inputs for which the float network's gates choose the same mode.

    Raises:
        DimmerError: any mismatch.
    """
    import numpy as np

    from dimmer.pipeline.artifacts.gates import load_gates, recipe_gates
    from dimmer.pipeline.data import load_dataset
    from dimmer.pipeline.data.encoding import to_int8
    from dimmer.pipeline.image.gated_records import run_gated
    from dimmer.pipeline.networks.gates.budget import budget_level, gate_macs, gated_cost
    from dimmer.pipeline.networks.gates.integer import compare as agreement
    from dimmer.pipeline.training.gate_trainer import choices
    from dimmer.pipeline.verify_gated import gated_oracle, mismatches, mode_counts

    gates, config, shape = recipe_gates(recipe), recipe.model.config(), recipe.gates.config()
    assert gates is not None
    test = load_dataset(recipe.model.dataset).test
    images, blocks = to_int8(test.images), len(gates.blocks)
    count = min(recipe.verify.images, len(test))
    levels = np.random.default_rng(SEED).integers(0, 256, count)
    progress("gated runs against the interpreter", 0.95)
    expected = gated_oracle(sources, gates, images[:count], levels)
    size = expected.outputs.shape[1]
    found: dict[str, Any] = {"samples": count, "mismatches": {}}
    for name, backend in backends.items():
        elf = firmware_folder(build, backend.name) / "firmware.elf"
        wrong = mismatches(expected, run_gated(backend, elf, images[:count], levels, blocks, size))
        if wrong:
            raise DimmerError(
                f"{name} differs from the TFLite interpreter or the gates' reference in {wrong} of {count} gated "
                "inferences; do not flash it, report it"
            )
        found["mismatches"][name] = wrong
    cost = gated_cost(config, network.cost(), shape, recipe.gates.reference_bits)
    lengths = [len(stage) for stage in cost.blocks]
    found["share_of_macs"] = gate_macs(config, shape) / super_mode(config.mandatory, config.skippable).macs(
        network.cost()
    )
    found["budgets"] = []
    elf = firmware_folder(build, "host") / "firmware.elf"
    for budget in recipe.gates.budgets:
        progress(f"test accuracy of the gates with a budget of {budget}", 0.97)
        level = np.full(len(test), budget_level(budget))
        ran = run_gated(backends["host"], elf, images, level, blocks, size)
        modes = mode_counts(ran.bits, lengths)
        float_bits = choices(recipe, network, load_gates(recipe), test, budget)
        found["budgets"].append(
            {
                "budget": budget,
                "accuracy": float(np.mean(ran.outputs.argmax(1) == test.labels)),
                "cost": sum(cost.relative(Mode.parse(mode)) * n for mode, n in modes.items()) / len(test),
                "agreement": asdict(agreement(ran.bits.astype(np.int64), float_bits)),
                "modes": modes,
            }
        )
    return found


def _refuse_mismatches(sources: Sequence[ModeSource], outcomes: dict[str, list[Outcome]]) -> None:
    names = [*(source.name for source in sources), "switches within an inference"]
    for backend, results in outcomes.items():
        for name, outcome in zip(names, results, strict=False):
            if outcome.mismatches:
                raise DimmerError(
                    f"{backend} differs from the TFLite interpreter in {outcome.mismatches} of {outcome.samples} "
                    f"inferences ({name}, first at test image {outcome.first}); do not flash it, report it"
                )


def run(recipe: Recipe, build: Path, target: Target, progress: Progress) -> StageResult:
    """The stage: firmware of the host and of the target -> its verification."""
    inputs = [
        build / "calibrate" / "calibration.json",
        build / "convert",
        *(
            firmware_folder(build, name) / file
            for name in ("host", target.name)
            for file in ("firmware.elf", "firmware.json")
        ),
        find_checkpoint(recipe),
        *([find_gates(recipe)] if recipe.gates.epochs else []),
    ]
    settings: dict[str, Any] = {"images": recipe.verify.images, "dataset": recipe.model.dataset, "target": target.name}
    if recipe.gates.epochs:
        settings["budgets"] = recipe.gates.budgets
    code = [ROOT / c for c in CODE]
    folder = verify_folder(build, target.name)
    return run_stage(
        "verify",
        folder,
        list(dict.fromkeys(inputs)),
        settings,
        code,
        lambda out: verify(recipe, build, target, out, progress),
    )


def main(
    model: Annotated[str, model_option] = "mnist5k-r14",
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
) -> None:
    """Compare the firmware of the host and of a target with the TFLite interpreter, every mode, bit for bit."""
    from rich.table import Table

    recipe, chosen = load_recipe(model), load_firmware_target(target)
    build = build_folder(recipe)
    with progress_bar("verify") as progress:
        run(recipe, build, chosen, progress)
    result = json.loads((verify_folder(build, chosen.name) / RESULT).read_text())
    table = Table(title=f"Mismatches against the TFLite interpreter (BUILTIN_REF), {result['backend']}")
    for heading in ("mode", "host", chosen.name, "test accuracy, int8", "float"):
        table.add_column(heading, justify="left" if heading == "mode" else "right")
    for m in result["modes"]:
        cells = [f"{m[k]['mismatches']} of {m[k]['samples']}" for k in ("host", "target")]
        table.add_row(m["name"], *cells, f"{m['accuracy']:.2%}", f"{m['accuracy_float']:.2%}")
    if result["switches"]["schedules"]:
        cells = [
            f"{result['switches'][k]['mismatches']} of {result['switches'][k]['samples']}" for k in ("host", "target")
        ]
        table.add_row("switches within an inference", *cells, "", "")
    if gates := result["gates"]:
        cells = [f"{gates['mismatches'][k]} of {gates['samples']}" for k in ("host", chosen.name)]
        table.add_row("gated", *cells, "", "")
        for line in gates["budgets"]:
            text = f"gated, budget {line['budget']:g}, cost {line['cost']:.3f}"
            table.add_row(text, "", "", f"{line['accuracy']:.2%}", "")
    console().print(table)


if __name__ == "__main__":
    main_of(main)
