# SPDX-License-Identifier: Apache-2.0
"""No child outlives the command that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dimmer import children
from dimmer.children import how_it_ended, run, scratch, started
from dimmer.guard import TOKENS


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def die(pids: Sequence[int], within_s: float = 2.0) -> bool:
    """Whether these processes end in time."""
    deadline = time.monotonic() + within_s
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(lives, pids))


def pids_in(file: Path, count: int) -> list[int]:
    """The numbers that children have written into a file, once all are there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.is_file() and len(found := file.read_text().split()) == count:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise AssertionError(f"{file} does not hold {count} numbers")


FAMILY = 'echo $$ >> pids; (echo $BASHPID >> pids; sleep 60) & setsid bash -c "echo \\$\\$ >> pids; sleep 60" & wait'
"""A child that starts another in its group and one in a session of its own."""

COMMAND = textwrap.dedent(
    """
    import signal, sys
    from concurrent.futures import ThreadPoolExecutor
    from dimmer import children
    from dimmer.pipeline.core.command import exit_status

    # Under nohup it is ignored, and so for all that is started there.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def work():
        with children.scratch() as folder, ThreadPoolExecutor(2) as pool:
            print(folder.parent, flush=True)
            list(pool.map(lambda _: children.run(["bash", "-c", sys.argv[1]]), range(3)))

    sys.exit(exit_status(work))
    """
)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", COMMAND, FAMILY]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_outlives_a_command_that_is_stopped(
    number: signal.Signals, command: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert command.stdout is not None
    temporary = Path(command.stdout.readline().strip())
    family = pids_in(tmp_path / "pids", 6)
    assert temporary.is_dir()
    command.send_signal(number)
    status = command.wait(timeout=10)
    assert die(family)
    deadline = time.monotonic() + 2
    while temporary.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not temporary.exists()
    if number == signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 128 + number
        assert command.communicate()[1] == "stopped; the same command goes on where it stopped\n"
    assert len((tmp_path / "pids").read_text().split()) == 6


def test_a_command_that_catches_the_interruption_ends_all_the_same() -> None:
    code = (
        "import time\nfrom dimmer.pipeline.core.command import exit_status\n"
        "def work():\n  while True:\n    try:\n      print('on', flush=True); time.sleep(60)\n"
        "    except KeyboardInterrupt:\n      pass\nexit_status(work)"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        process.terminate()
        assert process.wait(timeout=5) == 143
        assert process.stderr is not None
        assert process.stderr.read() == "stopped; the same command goes on where it stopped\n"


USER = """
import os, subprocess
from dimmer import children
from dimmer.guard import TOKENS
before = os.environ.get(TOKENS)
token = children.run(["sh", "-c", f"echo ${TOKENS}"]).stdout.split()[-1]
assert token.startswith(f"{os.getpid()}."), token
assert os.environ.get(TOKENS) == before
mine = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
children.share()
assert os.environ[TOKENS].split()[-1] == token
assert children.run(["sh", "-c", f"echo ${TOKENS}"]).stdout.split().count(token) == 1
theirs = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
print(mine.pid, theirs.pid, flush=True)
input()
"""


def test_what_a_user_s_program_starts_outlives_it() -> None:
    """Once Dimmer had compiled something, all that a notebook started later was killed with it."""
    words = [sys.executable, "-c", USER]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        mine, theirs = map(int, process.stdout.readline().split())
        try:
            process.kill()
            assert die([theirs])
            assert lives(mine)
        finally:
            os.kill(mine, signal.SIGKILL)


def test_what_a_program_says_is_kept(tmp_path: Path) -> None:
    done = run(["sh", "-c", "pwd; echo no lamp >&2; exit 3"], cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (f"{tmp_path}\n", "no lamp\n", 3)


def test_a_child_has_a_group_of_its_own_and_no_input() -> None:
    done = run([sys.executable, "-c", "import os, sys; print(os.getpgid(0) == os.getpid(), sys.stdin.read() == '')"])
    assert done.stdout == "True True\n"


def test_a_child_whose_time_is_up_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(["bash", "-c", f"cd {tmp_path}; echo $$ > pids; (echo $BASHPID >> pids; sleep 60) & wait"], timeout_s=1.0)
    assert die(pids_in(tmp_path / "pids", 2))


def test_an_error_in_the_block_ends_the_child() -> None:
    def fail() -> None:
        with started(["sleep", "60"]) as process:
            found.append(process)
            raise ValueError("lamp")

    found: list[subprocess.Popen[str]] = []
    with pytest.raises(ValueError, match="lamp"):
        fail()
    assert found[0].returncode == -signal.SIGKILL


def test_a_program_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        run(["a-lamp-that-nobody-has"])


def test_every_folder_is_of_one_use_and_goes() -> None:
    with scratch() as one, scratch() as other:
        assert one != other
        assert one.parent == other.parent
    assert not one.exists()


def test_children_put_their_temporary_files_there() -> None:
    with scratch() as folder:
        assert run(["sh", "-c", "echo $TMPDIR"]).stdout.strip() == str(folder.parent)


def test_a_worker_dies_with_its_parent(tmp_path: Path) -> None:
    worker = "import os, time; from dimmer.children import die_with; die_with(int(os.environ['BOSS'])); time.sleep(60)"
    boss = (
        "import os, subprocess, sys\n"
        f"worker = subprocess.Popen([sys.executable, '-c', {worker!r}], "
        "env={**os.environ, 'BOSS': str(os.getpid())})\n"
        "print(worker.pid, flush=True); worker.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", boss], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        time.sleep(0.5)
        assert lives(pid)
        process.kill()
    assert die([pid])


def test_a_worker_whose_parent_is_dead_already_ends() -> None:
    code = "from dimmer.children import die_with; die_with(1 << 22); print('it goes on')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_worker_leaves_its_own_words(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from dimmer.children import worker
with worker(Path({str(tmp_path)!r})):
    raise ValueError("the lamp   is broken")
"""
    assert run([sys.executable, "-c", code]).returncode == 1
    assert (tmp_path / children.REASON).read_text() == "ValueError: the lamp is broken"


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), ([], 2), (["--lamp"], 2), (["folder"], 2)])
def test_a_worker_says_what_it_is(words: list[str], status: int) -> None:
    code = "from dimmer.children import worker_arguments; worker_arguments('lamp', 'shines')"
    plain = {name: value for name, value in os.environ.items() if name != TOKENS}
    done = subprocess.run([sys.executable, "-c", code, *words], env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stderr == "lamp shines; it is started by Dimmer and takes nothing from people\n"


def test_how_a_child_ended() -> None:
    assert how_it_ended(2) == "ended with status 2"
    assert how_it_ended(-signal.SIGSEGV) == "was killed by SIGSEGV"
    assert how_it_ended(-signal.SIGKILL) == "was killed by SIGKILL, probably by the kernel for want of memory"
    assert how_it_ended(-200) == "was killed by signal 200"
