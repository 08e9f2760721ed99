# SPDX-License-Identifier: Apache-2.0
"""Stage keys are true: an edit, another data set, another package version make anew what depends on them, and no more.

Every stage of a small model is described here as a build describes it; keys are compared, nothing is run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import calibrate, convert, export, firmware, train, train_gates, verify
from dimmer.pipeline.bundles.stages import bundle_stage, module_stage
from dimmer.pipeline.core import closure as closures
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.core.targets import target_files
from dimmer.pipeline.data import registry
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.verification.stages import accuracy_stage, compare_stage
from dimmer.targets import load_target
from tests.own_data import write_images
from tests.tiny import TINY, silent

GATES = "\n[gates]\nepochs = 1\noptions = [8, 0]\n"
READS_DATA = {"train", "gates", "calibrate", "firmware", "firmware (host)", "compare", "accuracy", "verify", "bundle"}


def described(root: Path, recipe_text: str = TINY + GATES) -> dict[str, Stage]:
    """Every stage of a build for mps2-an386 and for the jetson, with empty files where their inputs would lie."""
    folder = root / "tiny"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe_text)
    for name in ("checkpoint.safetensors", "gates.safetensors"):
        (folder / name).touch()
    recipe, build = load_recipe(folder), root / "build"
    board, host, jetson = load_target("mps2-an386"), load_target("host"), load_target("jetson")
    found = {
        "train": train.stage(recipe, build, silent),
        "gates": train_gates.stage(recipe, build, silent),
        "calibrate": calibrate.stage(recipe, build, silent),
        "export": export.stage(recipe, build, silent),
        "convert": convert.stage(build, silent),
        "firmware": firmware.stage(recipe, build, board, silent),
        "firmware (host)": firmware.stage(recipe, build, host, silent),
        "compare": compare_stage(recipe, build, board, silent),
        "accuracy": accuracy_stage(recipe, build, silent),
        "verify": verify.stage(recipe, build, board, silent),
        "tvm_module": module_stage(build, jetson, silent),
        "bundle": bundle_stage(recipe, build, jetson, silent),
    }
    for stage in found.values():
        for path in stage.inputs:
            if path.suffix:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            else:
                path.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    return described(tmp_path_factory.mktemp("keys"))


def keys(build: Mapping[str, Stage]) -> dict[str, object]:
    return {name: stage.key() for name, stage in build.items()}


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_an_edit_in_any_file_of_a_closure_changes_the_keys_of_the_stages_that_run_it_and_no_other(
    build: dict[str, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(build)
    real: Callable[[Path], str] = closures.file_hash
    runs = {name: set(stage.closure.files) for name, stage in build.items()}
    files = set().union(*runs.values())
    assert len(files) > 100
    identity: Callable[[Stage, Path], list[str]] = Stage._identity
    known: dict[tuple[str, Path], list[str]] = {}

    def once(stage: Stage, path: Path) -> list[str]:
        """What is no Python stays as it is here, and is read once."""
        if (stage.name, path) not in known:
            known[stage.name, path] = identity(stage, path)
        return known[stage.name, path]

    monkeypatch.setattr(Stage, "_identity", once)
    for edited in sorted(files):

        def other_hash(path: Path, edited: Path = edited) -> str:
            return "edited" if path == edited else real(path)

        monkeypatch.setattr(closures, "file_hash", other_hash)
        wanted = {name for name, closure in runs.items() if edited in closure}
        assert changed(before, keys(build)) == wanted, edited


def test_an_edit_on_disk_is_seen(tmp_path: Path) -> None:
    """The same with real edits, in a copy of the package, a process each."""
    package = tmp_path / "dimmer"
    for folder in ("pipeline", "calibration", "firmware_gen", "targets"):
        shutil.copytree(ROOT / folder, package / folder, ignore=shutil.ignore_patterns("__pycache__"))
    script = (
        "import hashlib, json, sys\n"
        "from dimmer.pipeline.core.closure import closure\n"
        "for module in sys.argv[1:]:\n"
        "    hashes = json.dumps(closure(module).hashes(), sort_keys=True)\n"
        "    print(module, hashlib.sha256(hashes.encode()).hexdigest())\n"
    )
    roots = {
        "train": "dimmer.pipeline.training.loop",
        "export": "dimmer.pipeline.conversion.onnx",
        "convert": "dimmer.pipeline.conversion.converted",
        "firmware": "dimmer.pipeline.image.published",
    }

    def now() -> dict[str, str]:
        command = [sys.executable, "-c", script, *roots.values()]
        environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        by_module = dict(line.split() for line in done.stdout.splitlines())
        return {name: by_module[module] for name, module in roots.items()}

    edits = {
        "pipeline/training/losses.py": {"train"},
        "pipeline/conversion/narrow.py": {"convert"},
        "firmware_gen/variants/dense.py": {"firmware"},
        "pipeline/oracle/tflite.py": {"convert"},
        "pipeline/reporting/page.py": set(),
        "pipeline/training/gate_trainer.py": set(),
    }
    before = now()
    for file, wanted in edits.items():
        path = package / file
        path.write_text(path.read_text() + "\n# edited\n")
        after = now()
        assert {name for name in roots if before[name] != after[name]} == wanted, file
        before = after


def test_a_package_version_changes_the_keys_of_the_stages_that_use_it(
    build: dict[str, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(build)
    used = {name: set(stage.closure.versions()) for name, stage in build.items()}
    assert "ai-edge-litert" in used["verify"], "the interpreter is the oracle"
    assert "torch" in used["train"]
    real = closures._version
    for package in sorted(set().union(*used.values())):

        def other_version(name: str, package: str = package) -> str | None:
            return "0.0" if name == package else real(name)

        monkeypatch.setattr(closures, "_version", other_version)
        assert changed(before, keys(build)) == {name for name, packages in used.items() if package in packages}, package


def test_replaced_data_is_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "mnist_5k.csv.gz"
    archive.write_bytes(b"digits")
    monkeypatch.setattr("dimmer.pipeline.data.sets.mnist5k.files", lambda: (archive,))
    before = keys(described(tmp_path / "one"))
    # The same size, the same name: only the content tells.
    archive.write_bytes(b"DIGITS")
    after = keys(described(tmp_path / "two"))
    for key in (*before.values(), *after.values()):
        assert isinstance(key, dict)
        del key["inputs"]
    assert changed(before, after) == READS_DATA


@pytest.mark.parametrize("number", range(2))
def test_each_file_of_a_data_set_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    files = (tmp_path / "a.bin", tmp_path / "b.bin")
    for path in files:
        path.write_bytes(b"data")
    monkeypatch.setattr("dimmer.pipeline.data.sets.mnist5k.files", lambda: files)
    before = registry.dataset_hash("mnist5k")
    files[number].write_bytes(b"DATA")
    assert registry.dataset_hash("mnist5k") != before


def test_the_loader_of_another_data_set_changes_nothing(build: dict[str, Stage]) -> None:
    for name, stage in build.items():
        files = {path.relative_to(ROOT).as_posix() for path in stage.closure.files}
        assert "pipeline/data/sets/cifar10.py" not in files, name
        assert ("pipeline/data/sets/mnist5k.py" in files) == (name in READS_DATA), name


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("lr = 0.1", "lr = 0.06", {"train", "gates"}),
        ("epochs = 1\noptions", "epochs = 2\noptions", {"gates"}),
        ("options = [8, 0]", "options = [8, 0]\nlr = 0.1", {"gates"}),
        ("options = [8, 0]", "options = [8, 0]\nhidden = 8", {"gates", "firmware", "firmware (host)", "verify"}),
        ("options = [8, 0]", "options = [8, 0]\nbudgets = [0.5]", {"gates", "verify"}),
        ("bn_images = 128", "bn_images = 64", {"calibrate"}),
        ('force = ["88.80"]', 'force = ["88.88"]', {"calibrate"}),
        ("[policy]", "[policy]\ndwell_s = 7", {"firmware", "firmware (host)", "bundle"}),
        ("images = 4", "images = 5", {"compare", "verify", "bundle"}),
        ("temperature = 2.0", "temperature = 3.0", {"train", "gates", "calibrate"}),
    ],
)
def test_a_key_of_the_recipe_belongs_to_the_stages_that_read_it(
    tmp_path: Path, old: str, new: str, wanted: set[str]
) -> None:
    text = TINY + GATES
    assert text.count(old) == 1
    found = [keys(described(tmp_path / name, t)) for name, t in (("one", text), ("two", text.replace(old, new)))]
    for key in (*found[0].values(), *found[1].values()):
        assert isinstance(key, dict)
        del key["inputs"]
    assert changed(*found) == wanted


def test_a_training_does_not_run_what_comes_after_it(build: dict[str, Stage]) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in build["train"].closure.files}
    assert "pipeline/recipe/sections/training.py" in files
    others = ("recipe/recipe.py", *(f"recipe/sections/{name}.py" for name in ("gates", "policy", "publishing")))
    assert not files & {f"pipeline/{name}" for name in others}
    assert not any(name.startswith(("firmware_gen/", "targets/", "pipeline/subnets/")) for name in files)


def test_c_and_linker_scripts_belong_to_the_firmware_of_their_target(build: dict[str, Stage]) -> None:
    for name in ("firmware", "firmware (host)", "verify"):
        assert ROOT / "firmware_gen" / "runtime" in build[name].files
    board = target_files(load_target("mps2-an386"))
    assert {ROOT / "targets" / name for name in ("mps2-an386", "app", "bare_metal")} <= set(board)
    assert ROOT / "targets" / "bare_metal" not in target_files(load_target("host"))
    assert ROOT / "targets" / "riscv-virt" not in board


def test_the_compiler_and_the_emulator_belong_to_a_firmware(
    build: dict[str, Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del build
    before = described(tmp_path / "one")
    monkeypatch.setattr("dimmer.pipeline.core.targets._version", lambda command: f"{command} of tomorrow")
    after = described(tmp_path / "two")
    different = {name for name in before if before[name].contents != after[name].contents}
    targets = {"firmware", "firmware (host)", "compare", "verify", "tvm_module", "bundle"}
    assert targets >= different >= {"firmware (host)"}


def test_a_stage_names_what_is_missing(tmp_path: Path) -> None:
    def action(out: Path) -> None:
        out.mkdir()

    with pytest.raises(DimmerError, match=r"stage 'lamp': .*bulb is missing"):
        Stage("lamp", tmp_path / "lamp", action, [tmp_path / "bulb"]).key()


def test_a_training_that_goes_on_from_another_one_is_another(tmp_path: Path) -> None:
    described(tmp_path)
    begun = tmp_path / "begun.safetensors"
    begun.write_bytes(b"weights")
    recipe, build = load_recipe(tmp_path / "tiny"), tmp_path / "build"
    keys = [train.stage(recipe, build, silent, None, start).key() for start in (None, begun)]
    begun.write_bytes(b"other weights")
    keys.append(train.stage(recipe, build, silent, None, begun).key())
    assert all(one != other for one, other in zip(keys, [*keys[1:], keys[0]], strict=True))


def test_a_folder_made_again_with_the_same_content_is_the_same_input(tmp_path: Path) -> None:
    folder = tmp_path / "made"

    content = "the same"

    def make(out: Path) -> None:
        (out / "result").write_text(content)

    def read(out: Path) -> None:
        out.mkdir(exist_ok=True)

    reader = Stage("reader", tmp_path / "reader", read, [folder])
    Stage("maker", folder, make, settings={"comment": 1}).run()
    before = reader.key()
    Stage("maker", folder, make, settings={"comment": 2}).run()
    assert reader.key() == before
    content = "another"
    Stage("maker", folder, make, settings={"comment": 3}).run()
    assert reader.key() != before


OWN = '[data]\nkind = "images"\npath = "../pictures"\nclasses = ["dark", "light"]\nsize = [8, 8]\n'


def own_keys(root: Path, text: str) -> dict[str, object]:
    """Keys of a model of one's own data, which lies in `root`; without the inputs, whose paths differ."""
    found = keys(described(root / "models", text))
    shutil.rmtree(root / "models")
    for key in found.values():
        assert isinstance(key, dict)
        del key["inputs"]
    return found


def test_one_s_own_data_is_in_the_keys_and_what_lies_beside_it_is_not(tmp_path: Path) -> None:
    write_images(tmp_path / "models" / "pictures", {"dark": 3, "light": 3})
    (tmp_path / "models" / "pictures").rename(tmp_path / "pictures")
    text = TINY.replace('"mnist5k"', '"own"') + GATES + OWN.replace("../pictures", "../../pictures")
    before = own_keys(tmp_path, text)
    first = tmp_path / "pictures" / "dark" / "0.png"
    content = first.read_bytes()
    first.write_bytes(content[:-1] + b"x")
    assert changed(before, own_keys(tmp_path, text)) == READS_DATA, "replaced"
    first.unlink()
    assert changed(before, own_keys(tmp_path, text)) == READS_DATA, "removed"
    first.write_bytes(content)
    (first.parent / "more.png").write_bytes(content)
    assert changed(before, own_keys(tmp_path, text)) == READS_DATA, "added"
    (first.parent / "more.png").rename(first.parent / "notes.txt")
    assert changed(before, own_keys(tmp_path, text)) == set(), "unrelated"
    assert changed(before, own_keys(tmp_path, text.replace("size = [8, 8]", "size = [8, 8]\nval = 0.2"))) == READS_DATA


def test_only_the_reader_of_its_kind_is_run(tmp_path: Path) -> None:
    write_images(tmp_path / "pictures", {"dark": 3, "light": 3})
    text = TINY.replace('"mnist5k"', '"own"') + GATES + OWN
    for name, stage in described(tmp_path, text).items():
        files = {path.relative_to(ROOT).as_posix() for path in stage.closure.files}
        assert ("pipeline/data/readers/images.py" in files) == (name in READS_DATA), name
        assert "pipeline/data/readers/recordings.py" not in files, name
        assert "pipeline/data/sets/mnist5k.py" not in files, name
