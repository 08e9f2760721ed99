# SPDX-License-Identifier: Apache-2.0
"""Flashing over ssh: onto an ssh server of our own on the loopback, with bundles whose program is a shell script."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT
from dimmer.targets.runners import ssh
from dimmer.targets.runners.ssh import SIGNATURE, Remote, check_bundle, install, sign, steps
from tests.targets.linux.bundles import current, make
from tests.tiny import silent

SSHD = Path("/usr/sbin/sshd")

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


def test_flash_wants_a_host_for_a_linux_board_and_for_no_other() -> None:
    for arguments, message in (
        (["jetson"], "jetson is reached over ssh: name the board with --host user@address"),
        (["host", "--host", "a@b"], "host is not reached over ssh: leave --host away"),
    ):
        command = [sys.executable, "-m", "dimmer.pipeline.flash", "--target", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == f"error: {message}\n"


@pytest.mark.slow
@needs_server
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")
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


ANSWERS = {
    "ssh": """
        for word in "$@"; do last=$word; done
        case $last in
        "uname -m") uname -m ;;
        "mktemp "*) echo /tmp/dimmer.00000000 ;;
        "sh -c "*) test ! -e "$BOARD/signers" || { echo nobody >&2; exit 1; } ;;
        "sh "*) echo "$last" >>"$BOARD/ran"; echo "installed toy v1" ;;
        "rm "*) test ! -e "$BOARD/gone" || exit 255 ;;
        esac""",
    "scp": "exit 0",
}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board that says what a program of this name says."""
    for name, script in ANSWERS.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("BOARD", str(tmp_path))
    return tmp_path


def test_what_was_installed_is_told_though_the_board_is_gone_by_then(fake: Path) -> None:
    bundle = make(fake / "1", "v1", "exit 0")
    assert install(Remote("a@b"), bundle, None, silent) == "installed toy v1"
    (fake / "gone").touch()
    said = install(Remote("a@b"), bundle, None, silent)
    assert said == "installed toy v1; /tmp/dimmer.00000000 could not be removed there"


def test_nothing_of_a_bundle_runs_there_before_its_signature_is_checked(fake: Path) -> None:
    bundle = make(fake / "1", "v1", "exit 0")
    (fake / "signers").touch()
    with pytest.raises(DimmerError, match=r"is not signed by anybody whom a@b names, .* \(nobody\): name a key with -"):
        install(Remote("a@b"), bundle, None, silent)
    assert not (fake / "ran").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")
def test_the_board_checks_with_its_own_programs(tmp_path: Path) -> None:
    key, prefix, bundle = tmp_path / "key", tmp_path / "a prefix", make(tmp_path / "a bundle", "v1", "exit 0")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    prefix.mkdir()

    def passes() -> bool:
        command = ["sh", "-c", ssh._CHECK, "sh", str(bundle), str(prefix)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    assert passes()
    (prefix / "allowed_signers").write_text(f"dimmer {(tmp_path / 'key.pub').read_text()}")
    assert not passes()
    shutil.copy(sign(bundle, key, tmp_path), bundle)
    assert passes()
    (bundle / "install.sh").write_text("forged")
    assert not passes()
    (prefix / "allowed_signers").unlink()
    assert passes()
    (prefix / "allowed_signers").symlink_to("/absent")
    assert not passes()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")
def test_a_key_with_a_passphrase_is_told_at_once(tmp_path: Path) -> None:
    key, began = tmp_path / "a key", time.monotonic()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
    with pytest.raises(DimmerError, match=r"a key has a passphrase: give it to ssh-agent with 'ssh-add .*' first"):
        sign(make(tmp_path / "1", "v1", "exit 0"), key, tmp_path)
    assert time.monotonic() - began < 20


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")
def test_a_dry_run_signs_what_is_copied(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "a key")], check=True)
    bundle = make(tmp_path / "a bundle", "v1", "exit 0")
    before = sorted(bundle.rglob("*"))
    lines = [line.replace("XXXXXXXX", tmp_path.name) for line in steps(Remote("a@b"), bundle, None, tmp_path / "a key")]
    (at,) = [at for at, line in enumerate(lines) if "-Y sign" in line]
    assert f"-- {bundle}" in lines[at - 2].replace("'", "")
    copied = Path(lines[at - 1].split()[-1])
    try:
        for line in lines[at - 1 : at + 1]:
            subprocess.run(["sh", "-c", line], check=True, cwd="/", capture_output=True)
        signature = copied.with_name(f"{copied.name}.sig")
        assert signature.is_file()
        assert f"-- {signature} a@b:" in lines[at + 1]
        assert lines[at + 1].endswith(f"/bundle/{SIGNATURE}")
    finally:
        for left in copied.parent.glob(f"{copied.name}*"):
            left.unlink()
    # In the build's folder it would be no file that a stage has made.
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.parametrize(
    ("host", "to"),
    [
        ("root@2001:db8::5", "root@[2001:db8::5]:/tmp/x"),
        ("2001:db8::5", "[2001:db8::5]:/tmp/x"),
        ("fe80::1%eth0", "[fe80::1%eth0]:/tmp/x"),
        ("root@192.0.2.7", "root@192.0.2.7:/tmp/x"),
        ("board", "board:/tmp/x"),
    ],
)
def test_an_ipv6_address_is_in_brackets_for_scp_alone(host: str, to: str) -> None:
    remote = Remote(host)
    assert remote.copying(Path("a"), "/tmp/x")[-1] == to
    assert f"-- {host} id" in remote.shown("id")


@pytest.mark.parametrize("text", ["[]", "{}", '{"architecture": 1, "model": "toy"}', "[" * 100_000])
def test_a_manifest_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    (make(tmp_path / "1", "v1", "exit 0") / "manifest.json").write_text(text)
    with pytest.raises(DimmerError, match="is no bundle"):
        check_bundle(tmp_path / "1")


def test_an_option_of_ones_own_comes_first() -> None:
    assert Remote("a@b", ("ConnectTimeout=60",)).shown("id").startswith("ssh -o ConnectTimeout=60 -o BatchMode=yes -o ")
