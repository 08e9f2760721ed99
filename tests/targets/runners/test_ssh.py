# SPDX-License-Identifier: Apache-2.0
"""Flashing over ssh: onto an ssh server of our own on the loopback, with bundles whose program is a shell script."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT
from dimmer.targets.runners.ssh import Remote, check_bundle, install, sign
from tests.tiny import silent

SSHD = Path("/usr/sbin/sshd")
INSTALLER = ROOT / "targets" / "linux" / "install.sh"

needs_server = pytest.mark.skipif(
    not SSHD.exists() or shutil.which("scp") is None,
    reason="needs sudo apt-get install --no-install-recommends openssh-server openssh-client",
)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.2)
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """This machine, over ssh, without a password."""
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'authorized'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PidFile none",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        end = time.monotonic() + 10
        while not answers(port):
            if server.poll() is not None or time.monotonic() > end:
                pytest.skip(f"no ssh server can be started here: {(folder / 'log').read_text().strip()[-200:]}")
            time.sleep(0.05)
        options = (
            f"Port={port}",
            f"IdentityFile={folder / 'user'}",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={folder / 'known'}",
            "StrictHostKeyChecking=accept-new",
        )
        yield Remote(f"{getpass.getuser()}@127.0.0.1", options)
    finally:
        server.terminate()
        server.wait()


def make(folder: Path, version: str, program: str, architecture: str = platform.machine()) -> Path:
    """A bundle whose program is a shell script."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "dimmer-run").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "bin" / "dimmer-run").chmod(0o755)
    shutil.copy(INSTALLER, folder / "install.sh")
    manifest = {"model": "toy", "version": version, "architecture": architecture}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums))


def current(prefix: Path) -> str:
    return (prefix / "current").readlink().name


@needs_server
def test_a_bundle_is_installed_and_becomes_the_current_one(board: Remote, tmp_path: Path) -> None:
    prefix = tmp_path / "a prefix"
    said = install(board, make(tmp_path / "1", "v1", 'test "$1" = --self-test'), str(prefix), silent)
    assert said == f"installed toy v1 in {prefix}"
    assert current(prefix) == "v1"
    assert (prefix / "current" / "bin" / "dimmer-run").stat().st_mode & 0o111
    install(board, make(tmp_path / "2", "v2", "exit 0"), str(prefix), silent)
    install(board, make(tmp_path / "3", "v3", "exit 0"), str(prefix), silent)
    assert current(prefix) == "v3"
    assert sorted(path.name for path in (prefix / "versions").iterdir()) == ["v2", "v3"]


@needs_server
def test_a_bundle_that_fails_its_self_test_leaves_the_previous_one(board: Remote, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(board, make(tmp_path / "1", "v1", "exit 0"), str(prefix), silent)
    with pytest.raises(DimmerError, match="the self-test of v2 fails; v1 stays installed"):
        install(board, make(tmp_path / "2", "v2", "echo mode 80 differs >&2; exit 1"), str(prefix), silent)
    assert current(prefix) == "v1"
    assert sorted(path.name for path in (prefix / "versions").iterdir()) == ["v1"]
    assert "mode 80 differs" in (prefix / "self-test.log").read_text()


@needs_server
def test_a_first_bundle_that_fails_leaves_nothing(board: Remote, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    with pytest.raises(DimmerError, match="the self-test of v1 fails; nothing is installed"):
        install(board, make(tmp_path / "1", "v1", "exit 1"), str(prefix), silent)
    assert not (prefix / "current").is_symlink()
    assert not any((prefix / "versions").iterdir())


@pytest.mark.slow
@needs_server
def test_the_same_version_mends_what_was_damaged(board: Remote, tmp_path: Path) -> None:
    prefix, bundle = tmp_path / "prefix", make(tmp_path / "1", "v1", "exit 0")
    install(board, bundle, str(prefix), silent)
    (prefix / "current" / "bin" / "dimmer-run").write_text("damaged")
    install(board, bundle, str(prefix), silent)
    assert (prefix / "current" / "bin" / "dimmer-run").read_text() == "#!/bin/sh\nexit 0\n"
    assert [path.name for path in (prefix / "versions").iterdir()] == ["v1.again"]
    install(board, bundle, str(prefix), silent)
    assert [path.name for path in (prefix / "versions").iterdir()] == ["v1"]


@needs_server
def test_a_bundle_for_another_machine_is_not_copied(board: Remote, tmp_path: Path) -> None:
    bundle = make(tmp_path / "1", "v1", "exit 0", architecture="sparc64")
    with pytest.raises(DimmerError, match=rf"is for sparc64, .*@127\.0\.0\.1 is {platform.machine()}"):
        install(board, bundle, str(tmp_path / "prefix"), silent)
    assert not (tmp_path / "prefix").exists()


@needs_server
def test_a_folder_that_cannot_be_written_is_named(board: Remote, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DimmerError, match="file/prefix cannot be written"):
        install(board, make(tmp_path / "1", "v1", "exit 0"), str(tmp_path / "file" / "prefix"), silent)


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs sudo apt-get install openssh-client")
def test_an_unreachable_host_is_one_line(tmp_path: Path) -> None:
    remote = Remote("nobody@127.0.0.1", (f"Port={free_port()}",))
    with pytest.raises(DimmerError, match=r"nobody@127\.0\.0\.1 cannot be reached .*refused") as caught:
        install(remote, make(tmp_path / "1", "v1", "exit 0"), None, silent)
    assert "\n" not in str(caught.value)


def test_a_bundle_that_is_damaged_here_is_not_copied(tmp_path: Path) -> None:
    bundle = make(tmp_path / "1", "v1", "exit 0")
    (bundle / "install.sh").write_text("exit 0\n")
    with pytest.raises(DimmerError, match=r"install\.sh is damaged"):
        check_bundle(bundle)
    (bundle / "install.sh").unlink()
    with pytest.raises(DimmerError, match=r"install\.sh is missing"):
        check_bundle(bundle)
    with pytest.raises(DimmerError, match="is no bundle"):
        check_bundle(tmp_path)


def test_the_installer_alone_refuses_damage_and_other_machines(tmp_path: Path) -> None:
    def refused(bundle: Path) -> str:
        command = ["sh", str(bundle / "install.sh"), str(tmp_path / "prefix")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        return done.stderr.splitlines()[-1]

    bundle = make(tmp_path / "1", "v1", "exit 0")
    (bundle / "bin" / "dimmer-run").write_text("cut")
    assert refused(bundle) == "error: the bundle is damaged: copy it again"
    other = make(tmp_path / "2", "v1", "exit 0", architecture="sparc64")
    assert refused(other).startswith(f"error: this bundle is for sparc64, this machine is {platform.machine()}")
    (other / "manifest.json").unlink()
    assert refused(other).startswith("error: there is no manifest.json")
    assert not (tmp_path / "prefix").exists()


def test_flash_wants_a_host_for_a_linux_board_and_for_no_other() -> None:
    for arguments, message in (
        (["jetson"], "jetson is reached over ssh: name the board with --host user@address"),
        (["host", "--host", "a@b"], "host is not reached over ssh: leave --host away"),
    ):
        command = [sys.executable, "-m", "dimmer.pipeline.flash", "--target", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == f"error: {message}\n"


def installed(bundle: Path, prefix: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installer by itself, on this machine."""
    command = ["sh", str(bundle / "install.sh"), str(prefix)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout
    return done.stderr.splitlines()[-1]


def runs(prefix: Path) -> bool:
    """Whether the current version is whole: its program is there and passes."""
    return subprocess.run([prefix / "current" / "bin" / "dimmer-run", "--self-test"], check=False).returncode == 0


@pytest.mark.parametrize("name", ["a b", "it's $HOME & `x`", "-n", "semi;colon|pipe", "back\\slash", "100%"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    prefix = tmp_path / name
    done = installed(make(tmp_path / "1", "v1", "exit 0"), prefix)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"installed toy v1 in {prefix}\n"
    assert runs(prefix)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["1", name])


def test_names_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    for version in ("../../v1", "a/b", ".", "", "v 1"):
        bundle = make(tmp_path / f"bundle of {version.replace('/', '_')}", version, "exit 0")
        assert said(installed(bundle, tmp_path / "prefix")) == "error: manifest.json is damaged: copy the bundle again"
    assert not (tmp_path / "prefix").exists()


def test_what_the_list_does_not_name_is_refused(tmp_path: Path) -> None:
    bundle = make(tmp_path / "1", "v1", "exit 0")
    (bundle / "bin" / "more").touch()
    with pytest.raises(DimmerError, match=r"bin/more is in no list"):
        check_bundle(bundle)
    wanted = "error: the bundle holds files that SHA256SUMS does not name: copy it again into a new folder"
    assert said(installed(bundle, tmp_path / "prefix")) == wanted
    (bundle / "bin" / "more").unlink()
    (bundle / "more").symlink_to("/etc/passwd")
    with pytest.raises(DimmerError, match=r"more is in no list"):
        check_bundle(bundle)
    assert said(installed(bundle, tmp_path / "prefix")) == wanted
    seal(bundle)
    assert "the bundle holds links" in said(installed(bundle, tmp_path / "prefix"))
    assert not (tmp_path / "prefix").exists()


def race(prefix: Path, bundles: list[Path]) -> None:
    """Several installers at once: each succeeds, and whenever one looks, a version that passes is current."""
    running = [
        subprocess.Popen(["sh", str(bundle / "install.sh"), str(prefix)], stdout=subprocess.DEVNULL)
        for bundle in bundles
    ]
    was_there = (prefix / "current").is_symlink()
    while any(process.poll() is None for process in running):
        if was_there:
            assert runs(prefix)
    assert [process.returncode for process in running] == [0] * len(bundles)
    assert runs(prefix)


@pytest.mark.parametrize("rounds", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_installers_at_once_leave_a_version_that_runs_at_every_moment(tmp_path: Path, rounds: int) -> None:
    bundles = [make(tmp_path / version, version, "exit 0") for version in ("v1", "v2")]
    for number in range(rounds):
        # The same one twice as well, which is the one that runs.
        race(tmp_path / "prefix", [bundles[number // 2 % 2], bundles[number % 2]])
    assert len(list((tmp_path / "prefix" / "versions").iterdir())) <= 2


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_an_installer_that_is_killed_leaves_a_version_that_runs(tmp_path: Path, kills: int) -> None:
    prefix = tmp_path / "prefix"
    bundles = [make(tmp_path / version, version, "exit 0") for version in ("v1", "v2")]
    began = time.monotonic()
    assert installed(bundles[0], prefix).returncode == 0
    took = time.monotonic() - began
    rng = random.Random(1)
    for number in range(kills):
        bundle = bundles[rng.randrange(2)]
        command = ["sh", str(bundle / "install.sh"), str(prefix)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(rng.random() * took * 1.2)
        if process.poll() is None:
            os.killpg(process.pid, rng.choice([signal.SIGKILL, signal.SIGTERM]))
        process.wait()
        assert runs(prefix), number
    # And the next one is not held up by what the dead ones left.
    assert installed(bundles[1], prefix).returncode == 0
    assert runs(prefix)
    assert not (prefix / "versions" / ".incoming").exists()
    assert len(list((prefix / "versions").iterdir())) <= 2


def test_at_the_next_start_a_version_that_fails_gives_way_to_the_one_before(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    for version in ("v1", "v2"):
        bundle = make(tmp_path / version, version, f'test "$1" = --self-test && test ! -e {tmp_path}/{version}-fails')
        shutil.copy(INSTALLER.with_name("dimmer-check"), bundle / "bin" / "dimmer-check")
        seal(bundle)
        assert installed(bundle, prefix).returncode == 0
    check = [prefix / "current" / "bin" / "dimmer-check"]
    assert subprocess.run(check, check=False).returncode == 0
    assert current(prefix) == "v2"
    (tmp_path / "v2-fails").touch()
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "warning: the self-test fails; back to v1\n")
    assert current(prefix) == "v1"
    (tmp_path / "v1-fails").touch()
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no version before that passes" in done.stderr
    assert current(prefix) == "v1"


needs_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")


@needs_keygen
def test_where_signers_are_named_only_their_bundles_are_taken(tmp_path: Path) -> None:
    for name in ("own", "other"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    prefix, bundle = tmp_path / "prefix", make(tmp_path / "1", "v1", "exit 0")
    assert installed(bundle, prefix).returncode == 0
    (prefix / "allowed_signers").write_text(f"dimmer {(tmp_path / 'own.pub').read_text()}")
    newer = make(tmp_path / "2", "v2", "exit 0")
    assert "is not signed" in said(installed(newer, prefix))
    for name, wanted in (("other", 2), ("own", 0)):
        (tmp_path / f"by {name}").mkdir()
        shutil.copy(sign(newer, tmp_path / name, tmp_path / f"by {name}"), newer)
        done = installed(newer, prefix)
        assert done.returncode == wanted, done.stderr
    assert current(prefix) == "v2"
    # Signed is the list: what changes with a list of its own is signed by nobody.
    (newer / "bin" / "dimmer-run").write_text("#!/bin/sh\nexit 0 # forged\n")
    seal(newer)
    assert "forged or damaged" in said(installed(newer, prefix))
    assert current(prefix) == "v2"
    with pytest.raises(DimmerError, match="does not sign"):
        sign(newer, tmp_path / "own.pub.absent", tmp_path / "by own")


@pytest.mark.slow
@needs_server
@needs_keygen
def test_a_bundle_is_signed_on_its_way(board: Remote, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    (prefix / "allowed_signers").write_text(f"dimmer {(tmp_path / 'key.pub').read_text()}")
    bundle = make(tmp_path / "1", "v1", "exit 0")
    with pytest.raises(DimmerError, match="is not signed"):
        install(board, bundle, str(prefix), silent)
    install(board, bundle, str(prefix), silent, tmp_path / "key")
    assert current(prefix) == "v1"
    assert not (bundle / "SHA256SUMS.sig").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_the_service_is_shut_in(tmp_path: Path) -> None:
    unit = INSTALLER.with_name("dimmer.service")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=40", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(re.findall(r"exposure level for dimmer.service: ([\d.]+)", done.stdout)[0]) <= 4.0
    assert "-m 0620 /run/dimmer/frames" in unit.read_text()
