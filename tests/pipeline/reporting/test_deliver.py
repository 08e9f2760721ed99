# SPDX-License-Identifier: Apache-2.0
"""The stages' files end up side by side."""

from pathlib import Path

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.deliver import publish
from dimmer.targets import load_target


def test_deliverables_lie_side_by_side_and_old_modes_go(tmp_path: Path) -> None:
    context = BuildContext(load_recipe("mnist5k-r14"), load_target("mps2-an386"), tmp_path / "mnist5k-r14")
    for name in (
        "mps2-an386/firmware/firmware.json",
        "mps2-an386/firmware/firmware.elf",
        "mps2-an386/firmware/dimmer_mnist5k_r14.c",
        "mps2-an386/firmware/dimmer_model.h",
        "export/88.88.88.onnx",
        "convert/88.88.88.tflite",
        "convert/88.88.88.float.tflite",
        "mps2-an386/modes/80.88.88.tflite",
    ):
        path = context.build_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.suffix)
    (context.target_dir / "firmware" / "firmware.elf").chmod(0o755)
    delivered = publish(context)
    assert sorted(path.name for path in context.target_dir.iterdir()) == [
        *("dimmer_mnist5k_r14.c", "dimmer_model.h", "firmware", "firmware.elf", "modes")
    ]
    assert sorted(path.name for path in (context.target_dir / "modes").iterdir()) == [
        *("88.88.88.onnx", "88.88.88.tflite")
    ]
    assert (context.target_dir / "firmware.elf").stat().st_mode & 0o111
    assert sorted(path.relative_to(context.target_dir).as_posix() for path in delivered) == [
        *("dimmer_mnist5k_r14.c", "dimmer_model.h", "firmware.elf", "modes/88.88.88.onnx", "modes/88.88.88.tflite")
    ]
