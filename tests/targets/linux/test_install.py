# SPDX-License-Identifier: Apache-2.0
"""The installer by itself, on this machine: without a service."""

from __future__ import annotations

import os
import platform
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.targets.runners.ssh import check_bundle, sign
from tests.targets.linux.bundles import INSTALLER, current, installed, make, runs, said, seal

needs_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs openssh-client")


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


def checked(prefix: Path) -> subprocess.CompletedProcess[str]:
    """What the service runs before it starts."""
    check = [prefix / "current" / "bin" / "dimmer-check"]
    return subprocess.run(check, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", ["cannot be written", "is not there"])
def test_a_service_starts_from_a_folder_that_cannot_be_written(tmp_path: Path, lock: str) -> None:
    prefix = tmp_path / "prefix"
    bundle = make(tmp_path / "1", "v1", f'test "$1" = --self-test && test ! -e {tmp_path}/fails')
    shutil.copy(INSTALLER.with_name("dimmer-check"), bundle / "bin" / "dimmer-check")
    seal(bundle)
    assert installed(bundle, prefix).returncode == 0
    if lock == "is not there":
        (prefix / ".lock").unlink()
    else:
        # What a superuser's mode does not forbid: it cannot be opened for writing, as on a medium for reading.
        (prefix / ".lock").unlink()
        (prefix / ".lock").mkdir()
    assert (checked(prefix).returncode, checked(prefix).stderr) == (0, "")
    (tmp_path / "fails").touch()
    assert checked(prefix).returncode == 1


@needs_keygen
@pytest.mark.parametrize("kind", ["a link to nothing", "a folder"])
def test_a_list_of_signers_that_cannot_be_read_lets_nobody_in(tmp_path: Path, kind: str) -> None:
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    if kind == "a folder":
        (prefix / "allowed_signers").mkdir()
    else:
        (prefix / "allowed_signers").symlink_to(tmp_path / "absent")
    line = said(installed(make(tmp_path / "1", "v1", "exit 0"), prefix))
    assert line == f"error: {prefix}/allowed_signers is no file that can be read: mend it, or remove it"
    assert not (prefix / "current").is_symlink()


def test_without_ssh_keygen_it_is_not_the_bundle_that_is_blamed(tmp_path: Path) -> None:
    prefix, bundle = tmp_path / "prefix", make(tmp_path / "1", "v1", "exit 0")
    prefix.mkdir()
    (prefix / "allowed_signers").write_text("dimmer ssh-ed25519 AAAA\n")
    (bundle / "SHA256SUMS.sig").touch()
    # All commands of this machine but that one.
    (tmp_path / "bin").mkdir()
    for folder in ("/bin", "/usr/bin"):
        for command in Path(folder).iterdir():
            place = tmp_path / "bin" / command.name
            if command.name != "ssh-keygen" and not place.is_symlink():
                place.symlink_to(command)
    line = said(installed(bundle, prefix, PATH=str(tmp_path / "bin")))
    assert line.endswith("allowed_signers asks for signed bundles: install openssh-client, to check them")


@pytest.mark.parametrize("name", ["here", "../1/here", "."])
def test_a_bundle_is_not_installed_into_itself(tmp_path: Path, name: str) -> None:
    bundle = make(tmp_path / "1", "v1", "exit 0")
    done = subprocess.run(["./install.sh", name], cwd=bundle, capture_output=True, text=True, check=False)
    assert said(done).endswith("is within the bundle: name a folder outside of it")
    check_bundle(bundle)
