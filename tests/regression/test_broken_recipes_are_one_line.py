# SPDX-License-Identifier: Apache-2.0
"""Numbers of 400 digits, infinite learning rates, a hundred million blocks (8 s), a dwell of 2^32 s that was refused
after the training: whatever a recipe or a target file says, it is a valid one or one line, at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.project import MODELS
from dimmer.targets.target import read_target
from tests.broken_toml import broken

SLOWEST_S = 1.0
MODEL_NAMES = ("cifar10-r14", "mnist5k-r14")
TARGET_NAMES = ("mps2-an386", "jetson", "host", "mps3-an547")


def check(path: Path, content: bytes, load: Callable[[], object]) -> str | None:
    """What is told of a file with this content, None where it is taken; the exact file stands in whatever fails."""
    path.write_bytes(content)
    began = time.process_time()
    try:
        load()
        told = None
    except DimmerError as error:
        told = str(error)
    taken = time.process_time() - began
    assert taken < SLOWEST_S, f"{taken:.1f} s: {content!r}"
    if told is not None:
        assert str(path) in told, (told, content)
        assert told.isprintable(), (told, content)
        assert len(told) < 1000, (told, content)
    return told


def use(recipe: Recipe) -> None:
    """What the stages after the training do with a recipe."""
    recipe.training_hash()
    recipe.model.config.cost()
    recipe.base_mode()
    for modes in (1, 2, 12):
        recipe_policy(recipe.policy, range(modes)).pack(modes, gated=bool(recipe.policy.budgets))


def broken_recipes(count: int, folder: Path) -> tuple[int, int]:
    """Reads `count` broken recipes of both shipped ones; how many were refused, how many taken."""
    folder.mkdir()
    path, refused = folder / "recipe.toml", 0
    for number, name in enumerate(MODEL_NAMES):
        text = (MODELS / name / "recipe.toml").read_text()
        for content in broken(text, count // 2, seed=number):
            refused += check(path, content, lambda: use(load_recipe(path))) is not None
    return refused, count - refused


def broken_targets(count: int, folder: Path) -> tuple[int, int]:
    """As `broken_recipes`, of target files."""
    for number in range(len(TARGET_NAMES)):
        (folder / f"lamp{number}").mkdir()
    refused = 0
    for number, name in enumerate(TARGET_NAMES):
        path = folder / f"lamp{number}" / "target.toml"
        text = (ROOT / "targets" / name / "target.toml").read_text().replace('"../', f'"{ROOT}/targets/')
        for content in broken(text, count // 4, seed=100 + number):
            refused += check(path, content, lambda path=path: read_target(path)) is not None  # type: ignore[misc]
    return refused, count - refused


def test_200_broken_recipes(tmp_path: Path) -> None:
    refused, taken = broken_recipes(200, tmp_path / "lamp")
    assert refused > 100
    assert taken > 10


@pytest.mark.slow
def test_4000_broken_recipes(tmp_path: Path) -> None:
    refused, taken = broken_recipes(4000, tmp_path / "lamp")
    assert refused > 2000
    assert taken > 200


def test_400_broken_target_files(tmp_path: Path) -> None:
    refused, taken = broken_targets(400, tmp_path)
    assert refused > 150
    assert taken > 20


def with_line(section: str, line: str) -> str:
    """The MNIST recipe with another line in a section."""
    key = line.split("=")[0].strip()
    text = (MODELS / "mnist5k-r14" / "recipe.toml").read_text()
    lines, now, found = [], "", False
    for old in text.splitlines():
        if old.startswith("["):
            now = old.strip("[]")
        if now == section and old.split("=")[0].strip() == key:
            lines.append(line)
            found = True
        else:
            lines.append(old)
    if not found:
        lines += [f"[{section}]", line] if f"[{section}]" not in text else []
        lines = [part for old in lines for part in ((old, line) if old == f"[{section}]" and old in text else (old,))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("section", "line", "told"),
    [
        ("train", f"epochs = {'9' * 400}", r"train\.epochs = 9+\.\.\.: must be 1 to 100000"),
        ("train", f"lr = {'9' * 400}", r"train\.lr = 9+\.\.\. must be a number"),
        ("train", "lr = inf", r"train\.lr = inf: must be over 0 and at most 100"),
        ("train", "lr = nan", r"train\.lr = nan: must be over 0"),
        ("train", "weight_decay = inf", r"train\.weight_decay = inf: must be 0 to 10"),
        ("train", "temperature = inf", r"train\.temperature = inf: must be over 0"),
        ("train", "seed = 4294967296", r"train\.seed = 4294967296: must be 0 to 4294967295"),
        ("train", "epochs = true", r"train\.epochs = True must be a whole number"),
        ("train", 'precision = "fp32\\n"', r"train\.precision = 'fp32\\n': must be one of fp32, bf16"),
        ("train.augmentation", "pad = 1000000", r"train\.augmentation\.pad = 1000000: must be 0 to 1024"),
        ("model", "mandatory = [99999999, 1, 1]", r"model\.mandatory = .*: must be at most 254 blocks together"),
        ("model", "skippable = [300, 1, 1]", r"model\.skippable = .*: must be, with mandatory, at most 254 blocks"),
        ("model", "widths = [16, 32, 100000]", r"model\.widths = .*: must be 1 to 8192"),
        ("policy", "dwell_s = 4294967296", r"policy\.dwell_s = 4294967296: must be 0 to 4294967295"),
        ("policy", "tiers = [900, 800, 700, 600, 500, 400, 300, 200]", r"policy\.tiers = .*: must be at most 7"),
        ("gates", "cost_weight = inf", r"gates\.cost_weight = inf: must be over 0 and at most 1000"),
        ("gates", "budgets = [nan]", r"gates\.budgets = \[nan\]: must fall"),
        ("calibration", "percentile = nan", r"calibration\.percentile = nan: must be over 50"),
        ("verify", "images = 1000000000", r"verify\.images = 1000000000: must be 1 to"),
    ],
)
def test_a_number_beyond_its_bounds_is_told_with_its_line(section: str, line: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    content = with_line(section, line)
    assert line in content
    found = check(path, content.encode(), lambda: load_recipe(path))
    assert found is not None
    with pytest.raises(DimmerError, match=rf"recipe\.toml, line \d+: {told}"):
        raise DimmerError(found)


def test_files_that_are_no_toml_at_all_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    for content, told in (
        (b"a = 1\n" * 100_000, "has 600,000 bytes, at most 262,144"),
        (b"\n\n[model]\nfamily = '\xff'", "line 4: not UTF-8 (byte 0xff); save it as UTF-8"),
        (b"a = " + b"[" * 50_000, "brackets are nested too deeply"),
        (b"a = " + b"9" * 5000, "a value cannot be read"),
        (b"[model]\n[model]", "Cannot declare"),
        (b"", "key 'family' is missing in [model]"),
    ):
        found = check(path, content, lambda: load_recipe(path))
        assert found is not None
        assert told in found


def test_a_recipe_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (MODELS / "mnist5k-r14" / "recipe.toml").read_bytes())
    assert load_recipe(path).training_hash() == load_recipe("mnist5k-r14").training_hash()


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", "../" * 2000, "", "\x1b[31m"])
def test_names_of_no_model_are_one_line(name: str) -> None:
    with pytest.raises(DimmerError, match=r"no model|cannot be looked at"):
        load_recipe(name)
