# SPDX-License-Identifier: Apache-2.0
"""What a person does with Dimmer: ``./nox -s build-target -- mps2-an386``.

``./nox`` makes .venv and runs nox in it. A nox of your own works as well: every session runs in that same .venv,
which is made first where it is missing. Nothing but nox and the standard library may be imported here, since your own
nox runs in another environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
# The folders that are the package dimmer, as pyproject.toml maps them.
PACKAGES = ["pipeline", "calibration", "firmware_gen", "targets", "benchmarks"]
C_FOLDERS = ["firmware_gen/runtime", "pipeline/verification/simulation", "targets", "benchmarks", "examples"]
# Tests that wait for one build are one group, so that the other worker has something else to do meanwhile. Their order
# is random; the seed, which pytest prints, is the same every time, so that a failure repeats. To shuffle otherwise:
# `./nox -s tests -- --randomly-seed=N`. pytest alone takes another seed on every run, but where CI is set.
IN_PARALLEL = ["-n", "2", "--dist", "loadgroup", "--durations", "20", "--randomly-seed=1"]
# Each worker has a core: threads of torch that wait for one another would take it from the other worker. Bytecode is
# kept, or each of some thousand commands that tests start would compile this project's modules anew.
FOR_TESTS = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
# Tests of the road from a .tflite to C and of projects: what `pip install .` brings is enough for them.
WITHOUT_TORCH = ["tests/dimmer", "tests/firmware_gen/read", "tests/firmware_gen/test_models.py"]
WITHOUT_TORCH += ["tests/pipeline/test_cli.py", "tests/pipeline/projects", "tests/pipeline/test_init.py"]
# Of these, what takes a few seconds, for CI.
QUICK = ["tests/dimmer/test_dimmer.py", "tests/dimmer/test_project.py", "tests/dimmer/test_toml.py"]
QUICK += ["tests/firmware_gen/read", "tests/pipeline/test_cli.py"]
# A .tflite of the tests' own, for the package that is installed alone.
SMALL_MODEL = (
    "import sys; from tests.firmware_gen.networks import tiny_resnet; open(sys.argv[1], 'wb').write(tiny_resnet())"
)

nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "none"
nox.options.error_on_missing_interpreters = False


def run(
    session: nox.Session,
    *command: str,
    success_codes: list[int] | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a command in .venv, which is made or brought up to date first; programs called by name are .venv's, too."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        session.run(str(ROOT / "nox"), "setup", external=True, silent=False)
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    variables = {**(environment or {}), "PATH": path}
    session.run(*command, env=variables, external=True, success_codes=success_codes or [0])


def python_of(number: str) -> str | None:
    """The interpreter of a version, "3.13": on PATH, else the newest one of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    places = [
        *map(Path, filter(None, [shutil.which(f"python{number}")])),
        *sorted(pyenv.glob(f"{number}.*/bin/python")),
    ]
    for place in reversed(places):
        asked = subprocess.run([place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True)
        if asked.stdout.decode().strip() == number:
            return str(place)
    return None


def target_and_options(session: nox.Session) -> tuple[str, list[str]]:
    """Split ``-- TARGET [options]``; the target comes first, as in the README."""
    arguments = list(session.posargs)
    if not arguments or arguments[0].startswith("-"):
        names = sorted(path.parent.name for path in (ROOT / "targets").glob("*/target.toml"))
        session.error(f"name a target: nox -s {session.name} -- TARGET, one of {', '.join(names) or '(none yet)'}")
    return arguments[0], arguments[1:]


def c_files(*suffixes: str) -> list[str]:
    """The project's own C sources and headers with these suffixes, relative to the root."""
    files = (path for folder in C_FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return sorted(str(path.relative_to(ROOT)) for path in files)


def dimmer_package() -> str:
    """The package dimmer as a folder, relative to the root: tools that read imports do not follow pyproject.toml."""
    package = ROOT / "build" / "packages" / "dimmer"
    package.mkdir(parents=True, exist_ok=True)
    for path in (*(ROOT / name for name in PACKAGES), *(ROOT / "dimmer").glob("*.py")):
        link = package / path.name
        if link.resolve() != path:
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    return str(package.relative_to(ROOT))


def build_docs(session: nox.Session) -> None:
    """The documentation as a site in build/site; a warning is an error."""
    dimmer_package()
    # The theme's advertisement for what comes after it is no warning of ours. Not --quiet: with it none is counted.
    environment = {"NO_MKDOCS_2_WARNING": "1"}
    run(session, PYTHON, "-m", "mkdocs", "build", "--strict", environment=environment)


@nox.session(name="build-target", venv_backend="none")
def build_target(session: nox.Session) -> None:
    """Train, calibrate, convert and compile: nox -s build-target -- TARGET [--model NAME] [--quiet]."""
    target, options = target_and_options(session)
    run(session, PYTHON, "-m", "pipeline.build", "--target", target, *options)


@nox.session(venv_backend="none")
def flash(session: nox.Session) -> None:
    """Put what build-target made onto the board: nox -s flash -- TARGET [--model NAME] [--host USER@ADDRESS]."""
    target, options = target_and_options(session)
    run(session, PYTHON, "-m", "pipeline.flash", "--target", target, *options)


@nox.session(venv_backend="none")
def tune(session: nox.Session) -> None:
    """Find TVM's fastest tiles: nox -s tune -- jetson --rpc HOST:PORT, or -- host [--model NAME]."""
    target, options = target_and_options(session)
    run(session, PYTHON, "-m", "pipeline.tvm_tune", "--target", target, *options)


@nox.session(venv_backend="none")
def train(session: nox.Session) -> None:
    """Train a model: nox -s train -- --model NAME."""
    run(session, PYTHON, "-m", "pipeline.train", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """All tests but the slow ones; arguments go to pytest: nox -s tests -- -k stage."""
    # Without these the tests on emulated boards are skipped, and say so; they are no reason to fail here.
    run(session, PYTHON, "-m", "dimmer.pipeline.system", "--for", "tests", success_codes=[0, 2])
    run(session, PYTHON, "-m", "pytest", "-m", "not slow", *IN_PARALLEL, *session.posargs, environment=FOR_TESTS)


@nox.session(venv_backend="none")
def pythons(session: nox.Session) -> None:
    """The package installed alone, and the tests that need no more: nox -s pythons -- 3.12 3.13 [--quick]."""
    quick = "--quick" in session.posargs
    for number in [word for word in session.posargs if word != "--quick"] or ["3.13"]:
        found = python_of(number)
        if found is None:
            session.warn(f"skipped Python {number}: none on PATH as python{number}, none in pyenv")
            continue
        folder = ROOT / "build" / "pythons" / number
        own = str(folder / "bin" / "python")
        session.run(found, "-m", "venv", "--clear", str(folder), external=True)
        lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
        tools = [line.split()[0] for line in lines if line.startswith(("pytest", "hypothesis", "clang-format"))]
        # Of what comes, most modules are never imported: bytecode is made of those that are.
        install = ["install", "--quiet", "--no-compile", "--constraint", "constraints.txt"]
        session.run(own, "-m", "pip", *install, str(ROOT), *tools, external=True)
        tests = QUICK if quick else WITHOUT_TORCH
        session.run(own, "-m", "pytest", "-q", "-m", "not slow", "-n", "2", *tests, external=True, env=FOR_TESTS)
        firmware_from_elsewhere(session, folder)


def firmware_from_elsewhere(session: nox.Session, environment: Path) -> None:
    """A .tflite to C, compared on this machine, in an empty folder, by the command of an environment."""
    program = environment / "bin"
    with tempfile.TemporaryDirectory() as work:
        model = str(Path(work) / "lamp.tflite")
        session.run(str(program / "python"), "-c", SMALL_MODEL, model, external=True)
        with session.chdir(work):
            words = ["firmware", "--tflite", model, "--target", "host", "--samples", "20"]
            session.run(str(program / "dimmer"), *words, external=True, env={"DIMMER_OFFLINE": "1"})


@nox.session(venv_backend="none")
def tests_slow(session: nox.Session) -> None:
    """The slow tests alone."""
    run(session, PYTHON, "-m", "dimmer.pipeline.system", "--for", "tests", success_codes=[0, 2])
    run(session, PYTHON, "-m", "pytest", "-m", "slow", *IN_PARALLEL, *session.posargs, environment=FOR_TESTS)


@nox.session(name="package-tools", venv_backend="none")
def package_tools(session: nox.Session) -> None:
    """PlatformIO's, ESP-IDF's and Kconfig's own checks of packages, which slow tests run: in build/package-tools."""
    folder = ROOT / "build" / "package-tools"
    session.run(sys.executable, "-m", "venv", str(folder), external=True)
    wanted = str(ROOT / "requirements" / "packages.txt")
    session.run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", wanted, external=True)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Formatting, lint and types of the Python; formatting and cppcheck of the C."""
    run(session, PYTHON, "-m", "ruff", "format", "--check", ".")
    run(session, PYTHON, "-m", "ruff", "check", ".")
    package = dimmer_package()
    run(session, PYTHON, "-m", "mypy", "noxfile.py", "tests", "tools", package)
    with session.chdir((ROOT / package).parent):
        run(session, str(VENV / "bin" / "lint-imports"), "--no-cache", str(ROOT / "pyproject.toml"))
    run(session, PYTHON, "-m", "dimmer.pipeline.experiment", "--claims", "docs/claims.md", "--check")
    build_docs(session)
    if c_files(".c", ".h", ".cpp"):
        run(session, str(VENV / "bin" / "clang-format"), "--dry-run", "-Werror", *c_files(".c", ".h", ".cpp"))
    if c_files(".c"):
        run(session, PYTHON, "-m", "dimmer.pipeline.system", "--for", "lint")
        run(
            session,
            "cppcheck",
            "--std=c99",
            "--enable=warning,performance,portability",
            "--inline-suppr",
            "--error-exitcode=1",
            "--quiet",
            # A precondition is no sign that it is broken somewhere. --force: every instruction set is still read.
            "-DDIMMER_ASSERT(condition)=((void)0)",
            "-UDIMMER_CONFIG",
            "--force",
            "-I",
            "firmware_gen/runtime/include",
            *c_files(".c"),
        )


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Count the instructions that the README compares with other runtimes: nox -s bench [-- options]."""
    run(session, PYTHON, "-m", "benchmarks", *session.posargs)


@nox.session(venv_backend="none")
def size(session: nox.Session) -> None:
    """Flash and RAM of a build, by section and symbol: nox -s size -- TARGET [--model NAME]."""
    target, options = target_and_options(session)
    run(session, PYTHON, "-m", "pipeline.size", "--target", target, *options)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The documentation as a site: build/site/index.html."""
    build_docs(session)


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Write requirements.lock, with the sha256 of every wheel, from requirements.txt."""
    run(session, PYTHON, "-m", "tools.lock", *session.posargs)
