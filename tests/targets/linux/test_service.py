# SPDX-License-Identifier: Apache-2.0
"""The installer where it makes a service: on a system of folders and of scripts, and what a failure leaves there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.targets.linux.bundles import INSTALLER, LINUX, current, make, said, seal

UNIT = LINUX / "dimmer.service"
COMMANDS = {
    "id": "echo 0",
    "getent": 'test -e "$ROOT/group"',
    "groupadd": 'test ! -e "$ROOT/fails-groupadd" && touch "$ROOT/group" || { echo "groupadd: locked" >&2; exit 10; }',
    "systemctl": """
        printf '%s\\n' "$*" >>"$ROOT/calls"
        if [ -e "$ROOT/fails-$1" ]; then echo "systemctl: no $1" >&2; exit 1; fi
        case $1 in
        is-enabled) test -e "$ROOT/enabled" && echo enabled ;;
        enable) touch "$ROOT/enabled" ;;
        disable) rm -f "$ROOT/enabled" ;;
        restart) "$ROOT/etc/dimmer/installed/current/bin/dimmer-run" --service && touch "$ROOT/runs" ;;
        stop) rm -f "$ROOT/runs" ;;
        esac""",
}


@dataclass(frozen=True)
class System:
    """One with systemd, and a superuser who installs."""

    root: Path

    def bundle(self, model: str, version: str, starts: bool = True) -> Path:
        """One that passes its self-test, and whose service starts or does not."""
        folder = self.root / "bundles" / f"{model} {version}"
        make(folder, version, f'test "$1" = --self-test || exit {int(not starts)}', model=model)
        script = INSTALLER.read_text().replace("/tmp/* | /var/tmp/*", "/absent/*")
        for place in ("/etc/", "/run/systemd"):
            script = script.replace(place, f"{self.root}{place}")
        (folder / "install.sh").write_text(script)
        (folder / "dimmer.service").write_text(f"the unit of {model} {version}\n")
        seal(folder)
        return folder

    def install(self, bundle: Path, prefix: Path | None = None) -> subprocess.CompletedProcess[str]:
        """With the system's own commands before those of this machine."""
        environment = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "ROOT": str(self.root)}
        command = ["sh", str(bundle / "install.sh"), str(prefix or self.root / bundle.name.split()[0])]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    def state(self) -> dict[str, str]:
        """All that an installation changes: files' content and links' targets, but for logs and locks."""
        kept = ("etc", "lamp", "toy", "enabled", "runs")
        found = [path for name in kept for path in [self.root / name, *(self.root / name).rglob("*")]]
        return {
            str(path.relative_to(self.root)): str(path.readlink()) if path.is_symlink() else path.read_text()
            for path in found
            if path.is_symlink() or (path.is_file() and path.name not in (".lock", "self-test.log"))
        }


@pytest.fixture
def system(tmp_path: Path) -> System:
    for name in ("bin", "etc/systemd/system", "run/systemd/system"):
        (tmp_path / name).mkdir(parents=True)
    for name, script in COMMANDS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return System(tmp_path)


def test_a_service_is_made(system: System) -> None:
    done = system.install(system.bundle("toy", "v1"))
    assert (done.returncode, done.stdout) == (0, f"installed toy v1 in {system.root}/toy\n"), done.stderr
    state = system.state()
    assert state["etc/dimmer/installed"] == f"{system.root}/toy"
    assert state["etc/systemd/system/dimmer.service"] == "the unit of toy v1\n"
    assert {"enabled", "runs"} < state.keys()
    assert (system.root / "group").exists()
    assert {path.name for path in (system.root / "etc/systemd/system").iterdir()} == {"dimmer.service"}


FAILURES = ["groupadd", "daemon-reload", "enable", "restart", "unit", "etc"]


def break_at(system: System, step: str) -> None:
    """Has a step of the installer fail."""
    units, dimmer = system.root / "etc/systemd/system", system.root / "etc/dimmer"
    if step == "unit":
        (units / "dimmer.service.new").mkdir()
        (units / "dimmer.service.new" / "dimmer.service").mkdir()
    elif step == "etc":
        shutil.rmtree(dimmer, ignore_errors=True)
        dimmer.touch()
    else:
        (system.root / "group").unlink(missing_ok=True)
        (system.root / f"fails-{step}").touch()


@pytest.mark.parametrize("step", FAILURES)
def test_a_first_installation_that_fails_leaves_nothing(system: System, step: str) -> None:
    bundle = system.bundle("toy", "v1")
    break_at(system, step)
    before = system.state()
    line = said(system.install(bundle))
    assert line.startswith("error: ")
    assert line.endswith("; nothing is installed")
    assert "fails (" in line or "journalctl" in line
    assert system.state() == before


@pytest.mark.parametrize("step", FAILURES)
def test_a_newer_version_that_fails_leaves_the_one_before(system: System, step: str) -> None:
    for version in ("v1", "v2"):
        assert system.install(system.bundle("toy", version)).returncode == 0
    bundle = system.bundle("toy", "v3")
    break_at(system, step)
    before = system.state()
    assert said(system.install(bundle)).endswith("; v2 stays installed")
    assert system.state() == before
    assert (system.root / "toy" / "previous").readlink().name == "v1"


def test_the_service_stays_with_the_model_that_has_it_where_another_does_not_start(system: System) -> None:
    assert system.install(system.bundle("lamp", "v1")).returncode == 0
    before = system.state()
    line = said(system.install(system.bundle("toy", "v1", starts=False)))
    assert line == "error: the service does not start with v1: see 'journalctl -u dimmer'; nothing is installed"
    assert system.state() == before
    assert (system.root / "calls").read_text().splitlines()[-2:] == ["daemon-reload", "restart dimmer.service"]


def test_a_model_that_takes_the_service_says_from_whom(system: System) -> None:
    assert system.install(system.bundle("lamp", "v1")).returncode == 0
    done = system.install(system.bundle("toy", "v1"))
    assert done.stdout == (
        f"installed toy v1 in {system.root}/toy; the service runs it now, and no longer lamp in {system.root}/lamp\n"
    )
    assert current(system.root / "lamp") == "v1"
    # Through a folder of another name it is the same one.
    (system.root / "alias").symlink_to(system.root / "toy")
    done = system.install(system.bundle("toy", "v2"), system.root / "alias")
    assert done.stdout == f"installed toy v2 in {system.root}/alias\n"


def test_an_installer_that_is_stopped_while_the_service_starts_leaves_the_version_before(system: System) -> None:
    assert system.install(system.bundle("toy", "v1")).returncode == 0
    bundle, before = system.bundle("toy", "v2"), system.state()
    (system.root / "bin" / "systemctl").write_text(
        f"#!/bin/sh\ncase $1 in restart) [ -e '{system.root}/asked' ] || {{ touch '{system.root}/asked'; sleep 60; }}"
        " ;; is-enabled) echo enabled ;; esac\n"
    )
    process = subprocess.Popen(
        ["sh", str(bundle / "install.sh"), str(system.root / "toy")],
        env={**os.environ, "PATH": f"{system.root / 'bin'}:{os.environ['PATH']}", "ROOT": str(system.root)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 30
    while not (system.root / "asked").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert current(system.root / "toy") == "v2"
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(30) == 2
    assert system.state() == before


def test_what_cannot_be_put_back_is_said(system: System) -> None:
    assert system.install(system.bundle("toy", "v1")).returncode == 0
    bundle = system.bundle("toy", "v2", starts=False)
    (system.root / "bin" / "mv").write_text(
        '#!/bin/sh\ncase $* in *unit.before* | *service.before*) exit 1 ;; esac\nexec /bin/mv "$@"\n'
    )
    (system.root / "bin" / "mv").chmod(0o755)
    assert said(system.install(bundle)).endswith("; what was there before cannot be put back: install again")


def test_a_unit_that_was_masked_stays_so(system: System) -> None:
    unit = system.root / "etc/systemd/system/dimmer.service"
    unit.symlink_to("/dev/null")
    assert "'systemctl unmask dimmer' first; nothing is installed" in said(system.install(system.bundle("toy", "v1")))
    assert unit.is_symlink()
    assert not (system.root / "toy" / "current").is_symlink()


def test_a_folder_that_the_service_does_not_see_is_refused(system: System) -> None:
    line = said(system.install(system.bundle("toy", "v1"), Path("/home/dimmer/toy")))
    assert line.startswith("error: the service, which is shut in, does not see /home/dimmer/toy")
    assert not Path("/home/dimmer").exists()


def test_the_dynamic_user_has_a_name_that_no_group_has() -> None:
    values = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    # systemd refuses a dynamic user, by the unit's name without User=, where a group of that name is there.
    assert values["DynamicUser"] == "yes"
    assert values["User"] not in ("", values["Group"], "dimmer")
    assert f"groupadd --system {values['Group']}" in INSTALLER.read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_the_service_is_shut_in() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=40", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(re.findall(r"exposure level for dimmer.service: ([\d.]+)", done.stdout)[0]) <= 4.0
    assert "-m 0620 /run/dimmer/frames" in UNIT.read_text()
