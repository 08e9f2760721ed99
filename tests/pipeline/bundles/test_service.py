# SPDX-License-Identifier: Apache-2.0
"""dimmer-run as a service: a pipe that others write into, a gauge that falls silent, systemd's signs, a full disk."""

from __future__ import annotations

import json
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from dimmer.pipeline.bundles.bundle import MACHINES

pytest.importorskip("tvm", reason="needs apache-tvm")
pytestmark = [
    pytest.mark.xdist_group("bundle"),
    pytest.mark.skipif(platform.machine() not in MACHINES.values(), reason=f"no bundles for {platform.machine()}"),
]
PIXELS = bytes(range(60))
PACKED = b"DMF1" + struct.pack("<II", len(PIXELS), zlib.crc32(PIXELS)) + PIXELS


def start(bundle: Path, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
    command = [str(bundle / "bin" / "dimmer-run"), *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **environment})


def event(stream: IO[bytes] | None) -> dict[str, object]:
    assert stream is not None
    found: dict[str, object] = json.loads(stream.readline())
    return found


def send(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def ready(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(20)
        yield found


def test_a_writer_that_dies_costs_one_frame_and_is_told(made: Path) -> None:
    process = start(made, "--mode", "88", "--format", "packed", "-")
    out, _ = process.communicate(PACKED + PACKED[:33] + PACKED)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["result", "skipped", "result"]
    assert lines[1] == {"event": "skipped", "file": "-", "bytes": 33}
    assert (lines[0]["class"], lines[0]["score"]) == (lines[2]["class"], lines[2]["score"])
    assert [line["frame"] for line in lines if "frame" in line] == [0, 1]


def test_a_gauge_that_falls_silent_is_not_the_end(made: Path, tmp_path: Path) -> None:
    supply = tmp_path / "BAT0"
    supply.mkdir()
    (supply / "type").write_text("Battery\n")
    (supply / "capacity").write_text("10\n")
    process = start(made, "--battery-path", tmp_path, "--format", "packed", "-")
    send(process, PACKED)
    assert event(process.stdout)["charge_permille"] == 100
    seen = []
    # It is asked once a second.
    for content in ("", "20\n"):
        (supply / "capacity").write_text(content)
        time.sleep(1.1)
        send(process, PACKED)
        seen.append(event(process.stdout))
    out, err = process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert [line["charge_permille"] for line in seen] == [None, 200]
    # What is not known is not bright.
    assert [line["mode"] for line in seen] == ["80", "80"]
    assert err.decode().startswith("warning: ")
    assert err.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [["--modes"], ["--self-test"], ["--mode", "88", "--format", "u8", "-"]])
def test_a_full_disk_is_an_error(made: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        command = [str(made / "bin" / "dimmer-run"), *arguments]
        done = subprocess.run(command, input=bytes(60), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr == b"error: standard output cannot be written: is its disk full?\n"


def test_systemd_hears_when_frames_are_taken_and_that_it_lives(
    made: Path, tmp_path: Path, listener: socket.socket
) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    process = start(made, "--mode", "88", "--format", "packed", "-", **environment)
    try:
        assert listener.recv(100) == b"READY=1"
        # It waits, and says so twice within the limit, however long.
        began = time.monotonic()
        for _ in range(6):
            assert listener.recv(100) == b"WATCHDOG=1"
        assert time.monotonic() - began > 0.5
        # Stopped, it says nothing: systemd would start it again.
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        while ready(listener):
            listener.recv(100)
        listener.settimeout(1)
        with pytest.raises(TimeoutError):
            listener.recv(100)
        process.send_signal(signal.SIGCONT)
        send(process, PACKED)
        assert event(process.stdout)["event"] == "result"
    finally:
        process.kill()
        process.communicate()


def test_an_abstract_socket_will_do(made: Path) -> None:
    name = f"dimmer-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(20)
        process = start(made, "--mode", "88", "--format", "u8", "-", NOTIFY_SOCKET=f"@{name}")
        assert listener.recv(100) == b"READY=1"
        process.communicate()
    assert process.returncode == 0


def test_without_a_journal_lines_come_as_ever(made: Path) -> None:
    process = start(made, "--mode", "88", "--format", "packed", "-", JOURNAL_STREAM="1:1")
    out, _ = process.communicate(PACKED)
    assert json.loads(out)["event"] == "result"
