# SPDX-License-Identifier: Apache-2.0
"""Running a firmware, with a shell script in its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.runners.command import Runner, run_firmware

SAYS_ITS_WORDS = 'printf "%s\\n" "$@"\n'


def shell(*more: str, count_flags: tuple[str, ...] = (), packages: Mapping[str, str] | None = None) -> Runner:
    return Runner(("sh", "{elf}", *more), count_flags, 5.0, packages or {})


def script(folder: Path, text: str) -> Path:
    path = folder / "firmware.elf"
    path.write_text(text)
    return path


def test_arguments_take_their_place_in_the_command(tmp_path: Path) -> None:
    elf = script(tmp_path, SAYS_ITS_WORDS)
    done = run_firmware(shell("-a", "{arguments}", "-z"), elf, ["verify", "a,b", "my file"], tmp_path, count=False)
    assert done.stdout.splitlines() == ["-a", "verify", "a,b", "my file", "-z"]


def test_qemu_gets_the_words_with_their_commas_doubled(tmp_path: Path) -> None:
    runner = shell("enable=on{semihosting_arguments}")
    elf = script(tmp_path, SAYS_ITS_WORDS)
    done = run_firmware(runner, elf, ["verify", "a,b"], tmp_path, count=False)
    assert done.stdout == "enable=on,arg=firmware,arg=verify,arg=a,,b\n"
    for word in ("my file", ""):
        with pytest.raises(TargetError, match="cannot be passed to a board: use names without spaces"):
            run_firmware(runner, elf, ["verify", word], tmp_path, count=False)


def test_a_program_that_wants_one_word_gets_a_line(tmp_path: Path) -> None:
    runner = shell("-C", "cpu0.semihosting-cmd_line={argument_line}")
    elf = script(tmp_path, SAYS_ITS_WORDS)
    done = run_firmware(runner, elf, ["verify", "a,b"], tmp_path, count=False)
    assert done.stdout.splitlines() == ["-C", "cpu0.semihosting-cmd_line=firmware verify a,b"]
    with pytest.raises(TargetError, match="cannot be passed to a board: use names without spaces"):
        run_firmware(runner, elf, ["verify", "my file"], tmp_path, count=False)


def test_counting_is_asked_for_where_something_counts(tmp_path: Path) -> None:
    elf = script(tmp_path, SAYS_ITS_WORDS)
    counting = shell("{arguments}", count_flags=("-icount", "shift=0"))
    assert run_firmware(counting, elf, ["bench"], tmp_path, count=True).stdout.split() == [
        *("bench", "--count", "-icount", "shift=0"),
    ]
    assert run_firmware(counting, elf, ["bench"], tmp_path, count=False).stdout.split() == ["bench"]
    assert run_firmware(shell("{arguments}"), elf, ["bench"], tmp_path, count=True).stdout.split() == ["bench"]


def test_it_runs_in_the_folder_and_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = run_firmware(shell(), script(tmp_path, "pwd; cat"), [], tmp_path / "work", count=False)
    assert Path(done.stdout.strip()).resolve() == (tmp_path / "work").resolve()


@pytest.mark.parametrize("code", [0, 1])
def test_a_test_that_fails_is_a_result(code: int, tmp_path: Path) -> None:
    assert run_firmware(shell(), script(tmp_path, f"exit {code}"), [], tmp_path, count=False).returncode == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 70", r"^firmware\.elf selftest ended in a fault handler$"),
        ("exit 3", r"^firmware\.elf selftest ended with status 3$"),
        ("echo first >&2; echo last >&2; exit 3", r"ended with status 3: last$"),
        ("""echo '{"event":"error","message":"no lamp"}'; exit 1""", r"^firmware\.elf selftest: no lamp$"),
    ],
)
def test_a_crash_and_a_reported_error_are_errors(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=message):
        run_firmware(shell(), script(tmp_path, text), ["selftest"], tmp_path, count=False)


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    hasty = Runner(("sh", "{elf}"), (), 0.1, {})
    with pytest.raises(TargetError, match=r"firmware\.elf bench did not end within 0\.1 s"):
        run_firmware(hasty, script(tmp_path, "exec sleep 60"), ["bench"], tmp_path, count=False)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    elf = tmp_path / "firmware.elf"
    with pytest.raises(TargetError, match=r"no-such-lamp not found: .* install lamp-package"):
        run_firmware(shell(packages={"no-such-lamp": "lamp-package"}), elf, [], tmp_path, count=False)
    with pytest.raises(TargetError, match=r"there is no firmware .*firmware\.elf: compile it first"):
        run_firmware(shell(), elf, [], tmp_path, count=False)
    with pytest.raises(TargetError, match="no-such-lamp cannot be run"):
        run_firmware(Runner(("no-such-lamp", "{elf}"), (), 5.0, {}), script(tmp_path, ""), [], tmp_path, count=False)
