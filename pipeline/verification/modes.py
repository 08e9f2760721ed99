"""Every mode and every switch on the host and the target against the interpreter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.checkpoint import find_checkpoint
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.firmware import firmware_folder, firmware_modes
from dimmer.pipeline.artifacts.verification import RESULT
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.image.records import Record, run_records
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target, load_target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Int8 = npt.NDArray[np.int8]
from dimmer.pipeline.verification.expected import oracle
from dimmer.pipeline.verification.gates import verify_gates
from dimmer.pipeline.verification.outcome import Outcome, compare
from dimmer.pipeline.verification.schedules import switch_schedules


def verify(recipe: Recipe, build: Path, target: Target, out: Path, progress: Progress) -> None:
    """Writes `verify.json` into `out`.

    Raises:
        DimmerError: any mismatch; the message names mode, image and backend.
    """
    import numpy as np
    import torch

    from dimmer.pipeline.artifacts.checkpoint import load_network
    from dimmer.pipeline.data.encoding import to_input, to_int8
    from dimmer.pipeline.data.registry import load_dataset
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


def _refuse_mismatches(sources: Sequence[ModeSource], outcomes: dict[str, list[Outcome]]) -> None:
    names = [*(source.name for source in sources), "switches within an inference"]
    for backend, results in outcomes.items():
        for name, outcome in zip(names, results, strict=False):
            if outcome.mismatches:
                raise DimmerError(
                    f"{backend} differs from the TFLite interpreter in {outcome.mismatches} of {outcome.samples} "
                    f"inferences ({name}, first at test image {outcome.first}); do not flash it, report it"
                )
