# SPDX-License-Identifier: Apache-2.0
"""Running a flash tool: how far it is, what it says, and that it never waits for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError
from dimmer.targets.runners import flasher
from dimmer.targets.runners.flasher import Where, ask_tool, is_here, need, run_tool
from dimmer.targets.runners.openocd import OpenOcd
from dimmer.targets.runners.stflash import StFlash
from tests.targets.runners.tools import Heard, image


def test_progress_is_what_the_tool_says() -> None:
    heard = Heard()
    said = run_tool(["sh", "-c", "echo '10 %'; sleep 0.1; printf '\\033[1m55.5%%\\033[0m'"], {}, heard, "writing")
    assert said == "10 %\n55.5%"
    assert heard.shares == [0.0, 0.1, 0.55]


def test_a_tool_that_waits_is_ended() -> None:
    with pytest.raises(TargetError, match=r"sh has said nothing for 0\.2 s: is the board plugged in"):
        run_tool(["sh", "-c", "sleep 60"], {}, Heard(), "writing", silent_s=0.2)


def test_a_tool_that_speaks_and_never_ends_is_ended_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flasher, "IN_ALL_S", 0.2)
    with pytest.raises(TargetError, match=r"sh did not end within 0\.2 s: power-cycle the board and try again"):
        run_tool(["sh", "-c", "while sleep 0.05; do echo lamp; done"], {}, Heard(), "writing")


def test_a_question_that_hangs_is_ended() -> None:
    with pytest.raises(TargetError, match=r"^sleep 60 did not end within 0\.1 s: try it by hand, or name another way"):
        ask_tool(["sleep", "60"], 0.1)
    with pytest.raises(TargetError, match="no-such-tool cannot be run"):
        ask_tool(["no-such-tool"], 1.0)


def test_what_it_complains_of_is_one_line() -> None:
    with pytest.raises(TargetError, match=r"^sh: no lamp; screw it in$"):
        run_tool(["sh", "-c", "echo the socket is dark; exit 1"], {"dark|dim": "no lamp; screw it in"}, Heard(), "x")
    with pytest.raises(TargetError, match=r"^sh ended with status 3: Error: cold$"):
        run_tool(["sh", "-c", "echo one; echo Error: cold; echo two; exit 3"], {}, Heard(), "x")
    with pytest.raises(TargetError, match="no-such-tool cannot be run"):
        run_tool(["no-such-tool"], {}, Heard(), "x")


def test_a_missing_tool_is_told_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not is_here(OpenOcd(("-f", "x")))
    with pytest.raises(
        TargetError, match="openocd not found: type 'sudo apt-get install openocd', or name another way"
    ):
        need(OpenOcd(("-f", "x")))


def test_a_dry_run_makes_the_bytes_that_are_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "my boards"
    folder.mkdir()
    written = image(folder)
    way = StFlash()
    (line,) = way.steps(written, Where())
    assert line == f"st-flash --connect-under-reset --reset write '{written.bin}' 0x08000000"
    written.bin.write_bytes(b"of another program")
    first, second = way.steps(written, Where())
    assert second == line
    assert first == f"objcopy -O binary --gap-fill 0xff '{written.elf}' '{written.bin}'"
    written.bin.unlink()
    assert way.steps(written, Where()) == [first, second]
