# SPDX-License-Identifier: Apache-2.0
"""Read-only and full folders, no memory, missing tools, odd terminals: tracebacks, or nonsense, where a line belongs.

Every case is a command in an environment that is broken in one way. It may work all the same, or it says one line that
begins with "error: "; it never shows a traceback. None of them may write outside its own folder.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dimmer.guard import TOKENS
from dimmer.pipeline.core.stage import ROOT
from tests.firmware_gen.networks import tiny_resnet

MAKE = ("dimmer.pipeline.firmware", "--tflite", "{work}/lamp.tflite", "--target", "host", "--samples", "1")
TO_OUT = (*MAKE, "--out", "{work}/out")
ON_BOARD = (*MAKE[:4], "mps2-an386", *MAKE[5:], "--out", "{work}/out")
BUILD = ("dimmer.pipeline.build", "--model", "mnist5k-r14", "--target", "host")
REPORT = ("dimmer.pipeline.report", "{work}/r.json", "{work}/x.svg")
HELP = ("dimmer.pipeline.build", "--help")
ORACLE = "dimmer.pipeline.oracle.interpreter"
MIB = 1 << 20
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
WORKS, TOLD, EITHER = (0,), (2,), (0, 2)
STARVED = (0, 1, 2, -6, -11, 127)
"""Python itself, or a library that it loads, may die before anything of Dimmer runs."""


@dataclass(frozen=True)
class Case:
    """A command and what is broken around it.

    Attributes:
        words: of the command; {work} is a folder of the case's own.
        statuses: any of them will do.
        says: in the last line of stderr, where it does not work.
        variables: of the environment; None for one that is not there.
        prepare: breaks something in the folder.
        limits: of resources.
        before, flags: words before the interpreter, and behind it.
        shell: redirections.
    """

    words: tuple[str, ...]
    statuses: tuple[int, ...]
    says: str = ""
    variables: Mapping[str, str | None] = field(default_factory=dict)
    prepare: Callable[[Path], None] = lambda work: None
    limits: Mapping[int, int] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    shell: str = ""


def tool(name: str, text: str) -> Callable[[Path], None]:
    """A program in the place of another."""

    def prepare(work: Path) -> None:
        (work / "bin").mkdir()
        (work / "bin" / name).write_text(text)
        (work / "bin" / name).chmod(0o755)

    return prepare


def only_tools(*without: str) -> Callable[[Path], None]:
    """A PATH on which everything is but these."""

    def prepare(work: Path) -> None:
        (work / "bin").mkdir()
        for place in os.environ["PATH"].split(os.pathsep):
            for path in Path(place).iterdir() if Path(place).is_dir() else ():
                link = work / "bin" / path.name
                if path.name not in without and not link.is_symlink():
                    link.symlink_to(path)

    return prepare


def folder(mode: int) -> Callable[[Path], None]:
    def prepare(work: Path) -> None:
        (work / "closed").mkdir()
        (work / "closed").chmod(mode)

    return prepare


def file(name: str, content: bytes = b"") -> Callable[[Path], None]:
    def prepare(work: Path) -> None:
        (work / name).write_bytes(content)

    return prepare


def link(to: str) -> Callable[[Path], None]:
    def prepare(work: Path) -> None:
        (work / "link").symlink_to(to)

    return prepare


def unreadable(work: Path) -> None:
    (work / "lamp.tflite").chmod(0)


def to(out: str) -> tuple[str, ...]:
    return (*MAKE, "--out", out)


def of(tflite: str) -> tuple[str, ...]:
    return (*MAKE[:2], tflite, *MAKE[3:])


def memory(mib: int) -> dict[int, int]:
    return {resource.RLIMIT_AS: mib * MIB}


FIRST = {"PATH": "{work}/bin:" + os.environ["PATH"], "CCACHE_DISABLE": "1"}
ALONE = {"PATH": "{work}/bin"}
FAILS, DIES = "#!/bin/sh\necho 'fatal: no lamp' >&2\nexit 1\n", "#!/bin/sh\nkill -9 $$\n"
BABBLES = "#!/bin/sh\nprintf 'lamp \\377\\n'\n"
DENIED, CIRCLE = "permission denied", "circle"
LOST = {"DIMMER_BUILD": "{work}/link"}
CLOSED = {"DIMMER_BUILD": "{work}/closed"}

CASES = {
    # Where things are written.
    "--out in a file": Case(to("{work}/file/out"), TOLD, "{work}/file", prepare=file("file")),
    "--out is a file": Case(to("{work}/file"), TOLD, "{work}/file is there already", prepare=file("file")),
    "--out may not be written": Case(
        to("{work}/closed/out"), TOLD, DENIED, prepare=folder(0o555), before=WITHOUT_PRIVILEGE
    ),
    "--out is in /proc": Case(to("/proc/lamp/out"), TOLD, "/proc/lamp"),
    "--out is too long": Case(to("{work}/" + "x" * 300), TOLD, "file name too long"),
    "--out is a circle of links": Case(to("{work}/link/out"), TOLD, "{work}/link", prepare=link("link")),
    "builds in a file": Case(MAKE, TOLD, "{work}/file", {"DIMMER_BUILD": "{work}/file"}, file("file")),
    "builds may not be written": Case(MAKE, TOLD, DENIED, CLOSED, folder(0o555), before=WITHOUT_PRIVILEGE),
    "builds may not be looked at": Case(MAKE, TOLD, "is not readable", CLOSED, folder(0), before=WITHOUT_PRIVILEGE),
    "builds behind a dangling link": Case(MAKE, TOLD, "{work}/link", LOST, link("/nowhere/lamp")),
    "builds in a circle of links": Case(MAKE, TOLD, CIRCLE, LOST, link("link")),
    "builds in /proc": Case(MAKE, TOLD, "/proc", {"DIMMER_BUILD": "/proc/lamp"}),
    "files may not grow": Case(TO_OUT, TOLD, limits={resource.RLIMIT_FSIZE: 3000}),
    # What is read.
    "no file": Case(of("{work}/nothing.tflite"), TOLD, "nothing.tflite"),
    "a folder for a file": Case(of("{work}"), TOLD, "{work}"),
    "an empty file": Case(TO_OUT, TOLD, "lamp.tflite", prepare=file("lamp.tflite")),
    "a file that may not be read": Case(TO_OUT, TOLD, "is not readable", prepare=unreadable, before=WITHOUT_PRIVILEGE),
    "a file of a name that is no text": Case(of("{work}/\udcff.tflite"), TOLD),
    "a recipe that is no text": Case(
        (*BUILD[:2], "{work}/recipe.toml", *BUILD[3:]),
        TOLD,
        "recipe.toml",
        prepare=file("recipe.toml", b"\xff\xfelamp"),
    ),
    "a folder without a recipe": Case((*BUILD[:2], "{work}", *BUILD[3:]), TOLD),
    "a model of no name": Case((*BUILD[:2], "", *BUILD[3:]), TOLD),
    "no report": Case(REPORT, TOLD, "r.json"),
    "a report that is a folder": Case(REPORT, TOLD, "r.json", prepare=lambda work: (work / "r.json").mkdir()),
    "a report that is no JSON": Case(REPORT, TOLD, "r.json", prepare=file("r.json", b"\xff{")),
    "a report of another shape": Case(REPORT, TOLD, "report.json", prepare=file("r.json", b"[1]")),
    # Tools.
    "an empty PATH": Case(TO_OUT, TOLD, "gcc", {"PATH": ""}),
    "a PATH that leads nowhere": Case(TO_OUT, TOLD, "gcc not found", {"PATH": "/nowhere"}),
    "no compiler": Case(TO_OUT, TOLD, "gcc", ALONE, only_tools("gcc", "clang", "cc")),
    "no compiler for the board": Case(
        ON_BOARD, TOLD, "arm-none-eabi-gcc", ALONE, only_tools("arm-none-eabi-gcc", "clang")
    ),
    "no emulator": Case(ON_BOARD, TOLD, "qemu-system-arm", ALONE, only_tools("qemu-system-arm")),
    "no ccache": Case(TO_OUT, WORKS, "", ALONE, only_tools("ccache")),
    "a compiler that fails": Case(TO_OUT, TOLD, "no lamp", FIRST, tool("gcc", FAILS)),
    "a compiler that is killed": Case(TO_OUT, TOLD, "killed by SIGKILL", FIRST, tool("gcc", DIES)),
    "a compiler that is no program": Case(TO_OUT, TOLD, "gcc", FIRST, tool("gcc", "\x01\x02")),
    "a compiler of a lost interpreter": Case(TO_OUT, TOLD, "gcc", FIRST, tool("gcc", "#!/nowhere/sh\n")),
    "a compiler that makes nothing": Case(TO_OUT, TOLD, "", FIRST, tool("gcc", "#!/bin/sh\n")),
    "a ccache that fails": Case(TO_OUT, TOLD, "no lamp", FIRST, tool("ccache", FAILS)),
    "a ccache that has no folder": Case(TO_OUT, EITHER, "", {"CCACHE_DIR": "/proc/lamp"}),
    "an emulator that fails": Case(ON_BOARD, TOLD, "", FIRST, tool("qemu-system-arm", FAILS)),
    "an emulator that is killed": Case(ON_BOARD, TOLD, "killed by SIGKILL", FIRST, tool("qemu-system-arm", DIES)),
    "an emulator that babbles": Case(ON_BOARD, TOLD, "no event", FIRST, tool("qemu-system-arm", BABBLES)),
    "no tool of that name": Case(("dimmer.pipeline.system", "lamp-gcc"), TOLD, "no Debian package known"),
    "no tool at all": Case(("dimmer.pipeline.system",), TOLD, "--help"),
    "help of the tools": Case(("dimmer.pipeline.system", "--help"), WORKS),
    # Memory and other limits.
    "256 MiB of memory": Case(TO_OUT, STARVED, limits=memory(256)),
    "600 MiB of memory": Case(TO_OUT, STARVED, limits=memory(600)),
    "1 GiB of memory for a build": Case(BUILD, STARVED, limits=memory(1024)),
    "few open files": Case(TO_OUT, (1, 2), limits={resource.RLIMIT_NOFILE: 9}),
    # The environment.
    "no HOME": Case(TO_OUT, WORKS, "", {"HOME": None}),
    "a HOME that is nowhere": Case(TO_OUT, EITHER, "", {"HOME": "/nowhere"}),
    "a HOME that is a file": Case(TO_OUT, EITHER, "", {"HOME": "/dev/null"}),
    "no temporary folder": Case(TO_OUT, WORKS, "", {"TMPDIR": "/nowhere"}),
    "an odd number of threads": Case(TO_OUT, WORKS, "", {"OMP_NUM_THREADS": "many"}),
    "no environment": Case(TO_OUT, WORKS, "", dict.fromkeys(os.environ.keys() - {"PATH", "PYTHONPATH"})),
    "TERM=dumb": Case(TO_OUT, WORKS, "", {"TERM": "dumb"}),
    "TERM of no such kind": Case(HELP, WORKS, "", {"TERM": "lamp-42"}),
    "no TERM": Case(HELP, WORKS, "", {"TERM": None}),
    "no columns": Case(HELP, WORKS, "", {"COLUMNS": "0", "LINES": "0"}),
    "one column": Case(TO_OUT, WORKS, "", {"COLUMNS": "1"}),
    "columns that are no number": Case(HELP, WORKS, "", {"COLUMNS": "wide"}),
    "NO_COLOR": Case(HELP, WORKS, "", {"NO_COLOR": "1"}),
    "FORCE_COLOR": Case(TO_OUT, WORKS, "", {"FORCE_COLOR": "1"}),
    "LANG=C": Case(TO_OUT, WORKS, "", {"LANG": "C", "LC_ALL": "C"}),
    "a language of no such kind": Case(HELP, WORKS, "", {"LANG": "xx_YY.lamp", "LC_ALL": "xx_YY.lamp"}),
    "ASCII alone": Case(TO_OUT, WORKS, "", {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}),
    "Latin-1": Case(HELP, WORKS, "", {"PYTHONIOENCODING": "latin-1"}),
    # What it writes to.
    "help that has no room": Case(HELP, TOLD, "no space left on device", shell=">/dev/full"),
    "output that has no room": Case(TO_OUT, TOLD, "no space left on device", shell=">/dev/full"),
    "output that is closed": Case(TO_OUT, WORKS, shell=">&-"),
    "errors that are closed": Case(TO_OUT, WORKS, shell="2>&-"),
    "all streams closed": Case(TO_OUT, WORKS, shell="<&- >&- 2>&-"),
    "input that is closed": Case(TO_OUT, WORKS, shell="<&-"),
    # Arguments.
    "no such option": Case(("dimmer.pipeline.verify", "--watts"), TOLD, "no such option: --watts"),
    "no such target": Case(("dimmer.pipeline.verify", "--target", "lighthouse"), TOLD, "unknown target 'lighthouse'"),
    "a number that is none": Case((*MAKE[:-1], "many"), TOLD, "--samples"),
    "no target": Case(("dimmer.pipeline.build",), TOLD, "--target"),
    "a room for a command": Case(("dimmer.pipeline.oracle", "--help"), (1,)),
    "help of the oracle": Case((ORACLE, "--help"), WORKS),
    "a folder for the oracle": Case((ORACLE, "{work}"), TOLD, "takes nothing from people"),
    "a file for the converter": Case(
        ("dimmer.pipeline.conversion.onnx_to_float", "x"), TOLD, "takes nothing from people"
    ),
    # Pythons.
    "a Python without packages": Case(BUILD, (1,), "is not installed for ", flags=("-S",)),
}
SHORT = frozenset({"builds may not be written", "few open files", "help that has no room", "a Python without packages"})


def run(case: Case, work: Path) -> subprocess.CompletedProcess[str]:
    def at(text: str) -> str:
        return text.replace("{work}", str(work))

    (work / "lamp.tflite").write_bytes(tiny_resnet())
    case.prepare(work)
    environment = {name: value for name, value in os.environ.items() if name != TOKENS}
    environment |= {"DIMMER_BUILD": str(work / "builds"), "DIMMER_OFFLINE": "1", "HOME": str(work)}
    for name, value in case.variables.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = at(value)
    command = [*case.before, sys.executable, *case.flags, "-m", *map(at, case.words)]
    if case.shell:
        command = ["/bin/sh", "-c", f'exec "$@" {case.shell}', "sh", *command]

    def limit() -> None:
        for which, value in case.limits.items():
            resource.setrlimit(which, (value, value))

    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        preexec_fn=limit if case.limits else None,
        timeout=900,
        check=False,
    )


def check(case: Case, done: subprocess.CompletedProcess[str], work: Path) -> None:
    said = done.stdout + done.stderr
    assert not [word for word in ("Traceback", "Exception ignored", "a fault in Dimmer") if word in said], said
    assert done.returncode in case.statuses, f"status {done.returncode}\n{said}"
    if done.returncode == 2:
        last = done.stderr.strip().splitlines()[-1]
        assert case.says.replace("{work}", str(work)) in last, said
        assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) <= 1, said


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.slow) for name in CASES]
)
def test_no_traceback(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if case.before and shutil.which(case.before[0]) is None:
        pytest.skip(f"needs {case.before[0]}")
    check(case, run(case, tmp_path), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "says"), [("size=64k", "no space left"), ("size=1m,ro", "read-only")])
def test_a_disk_of_its_own(options: str, says: str, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False).returncode:
        pytest.skip("needs root to mount a disk")
    try:
        case = Case(MAKE, TOLD, says, {"DIMMER_BUILD": str(place)})
        check(case, run(case, tmp_path), tmp_path)
    finally:
        subprocess.run(["umount", place], check=True)


def test_the_table_is_as_long_as_it_says() -> None:
    assert len(CASES) >= 50
    assert set(CASES) >= SHORT
