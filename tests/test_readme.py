# SPDX-License-Identifier: Apache-2.0
"""What the README and docs/ tell a reader to type, open or compile is there and works."""

import doctest
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.bundles.packaging.order import foreign_package, kinds_of
from dimmer.pipeline.bundles.packaging.source import make_package
from dimmer.pipeline.core.verbs import VERBS
from dimmer.project import model_names
from dimmer.targets import target_names
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.hosted.examples import modes_folder

ROOT = Path(__file__).resolve().parent.parent
OTHERS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "models/LICENCES.md")
FOUND = (
    *(ROOT / name for name in OTHERS),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("examples/**/*.md")),
)
PAGES = [path for path in FOUND if path.is_file()]
COMMON_OPTIONS = ("--model", "--target", "--build-dir", "--help")
TARGET_SESSIONS = ("build-target", "flash", "size")

pytestmark = pytest.mark.skipif(not PAGES, reason="there is no README.md yet")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def sessions() -> set[str]:
    """Names of the sessions in noxfile.py."""
    text = (ROOT / "noxfile.py").read_text()
    named = re.findall(r'@nox\.session\(name="([^"]+)"', text)
    plain = re.findall(r"@nox\.session\(venv_backend=\"none\"\)\ndef (\w+)", text)
    return {*named, *plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_nox_commands_name_sessions_targets_and_models(page: Path) -> None:
    for session, rest in re.findall(r"nox -s ([\w-]+)(.*)", page.read_text()):
        assert session in sessions(), f"{page.name}: there is no session {session}"
        target = re.match(r" -- ([a-z][\w-]*)", rest)
        if session in TARGET_SESSIONS and target:
            assert target[1] in target_names(), f"{page.name}: there is no target {target[1]}"
        model = re.search(r"--model ([\w-]+)", rest)
        if model:
            assert model[1] in model_names(), f"{page.name}: there is no model {model[1]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_modules_that_are_run_are_there(page: Path) -> None:
    for module in re.findall(r"python -m ((?:pipeline|benchmarks|firmware_gen|tools)(?:\.\w+)*)", page.read_text()):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or path.joinpath("__main__.py").is_file(), f"{page.name}: {module}"


SHARED = (ROOT / "pipeline" / "core" / "command.py").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_dimmer_commands_name_verbs_targets_models_and_options(page: Path) -> None:
    lines = [*re.findall(r"`dimmer ([^`\n]+)`", page.read_text())]
    lines += [rest for block in blocks(page, "sh") for rest in re.findall(r"(?m)^dimmer ([^#\n]+)", block)]
    for verb, *words in (line.split() for line in lines if not line.startswith(("-", "VERB"))):
        assert verb in VERBS, f"{page.name}: there is no dimmer {verb}"
        source = (ROOT / "pipeline" / f"{VERBS[verb].module}.py").read_text()
        for word in words:
            # Of options that several verbs share the verb names what declares them (pipeline/core/command.py).
            shared = f"{word[2:]}_option" in source and f'"{word}"' in SHARED
            known = word in COMMON_OPTIONS or f'"{word}"' in source or shared
            assert known or not word.startswith("--"), f"{page.name}: dimmer {verb} has no {word}"
        for option, value in pairwise(words):
            if option == "--target" and re.fullmatch(r"[a-z][\w-]*", value):
                assert value in target_names(), f"{page.name}: there is no target {value}"
            if option in ("--model", "--model-template") and re.fullmatch(r"[a-z][\w-]*", value):
                assert value in model_names(), f"{page.name}: there is no model {value}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_checkout_is_installed_into_an_environment(page: Path) -> None:
    """The Pythons of Debian 12 and Ubuntu 24.04 are managed by apt: their pip refuses (PEP 668)."""
    installs = re.search(r"pip install '?\.", page.read_text())
    assert not installs or page.name == "CHANGELOG.md" or "python3 -m venv" in page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not re.match(r"[a-z]+:", link):
            assert (page.parent / link).exists(), f"{page.name}: {link} does not exist"


def write_package(folder: Path, name: str) -> None:
    """The files of a model as `dimmer package` makes them."""
    (folder / f"{name}.tflite").write_bytes(tiny_resnet())
    order = foreign_package([folder / f"{name}.tflite"], kinds_of(["portable"]))
    for path, text in make_package(order).model.items():
        (folder / Path(path).name).write_text(text)


def write_model_of_own_data(folder: Path) -> None:
    """A model's C with all that data of one's own says of input and outputs."""
    path = folder / "own.tflite"
    path.write_bytes(tiny_resnet())
    meaning = Meaning(("ax", "ay"), (0.0, 0.0), (1.0, 1.0), ("kg",), (1.0,), (0.5,), (("own", 0.5),))
    generate(
        [ModeSource("own", path)], folder, name="own", classes=("oak", "elm", "ash", "fir", "yew"), meaning=meaning
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_c_blocks_compile(page: Path, tmp_path: Path) -> None:
    if "dimmer_door.h" in page.read_text():
        write_package(tmp_path, "door")
    if re.search(r"DIMMER_MODEL_(CLASS|VALUE|ANOMALY|INPUT_CHANNEL)", page.read_text()):
        write_model_of_own_data(tmp_path)
    for number, block in enumerate(blocks(page, "c")):
        source = tmp_path / f"block{number}.c"
        source.write_text(block)
        flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Wno-unused-function"]
        folders = [f"-I{place}" for place in (tmp_path, ROOT / "tests" / "firmware_gen" / "golden", INCLUDE)]
        done = subprocess.run(["gcc", *flags, *folders, str(source)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{page.name}, C block {number + 1}:\n{done.stderr}"


def test_the_python_page_says_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    found = doctest.testfile(str(ROOT / "docs" / "python.md"), module_relative=False)
    assert found.attempted > 10
    assert found.failed == 0
