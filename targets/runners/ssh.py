# SPDX-License-Identifier: Apache-2.0
"""Installing a bundle on a Linux board over ssh: copied, installed into a folder of its version, tested there."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer import children
from dimmer.targets.kit.errors import TargetError

Progress = Callable[[str, float], None]

_UNREACHABLE = 255  # ssh's own exit status, whatever the reason
_CONNECT_S = 10
_COPY_S = 900
_INSTALL_S = 900


@dataclass(frozen=True)
class Remote:
    """A board.

    Attributes:
        host: as ssh takes it: user@address.
        options: for ssh and scp, each as after ``-o``: "Port=2222".
    """

    host: str
    options: tuple[str, ...] = ()

    def run(self, command: str, timeout_s: float = _CONNECT_S * 3) -> subprocess.CompletedProcess[str]:
        """Run a shell command there.

        Raises:
            TargetError: the board cannot be reached, or does not answer in time.
        """
        done = self._call(["ssh", *self._flags(), self.host, command], timeout_s)
        if done.returncode == _UNREACHABLE:
            raise self._unreachable(done.stderr)
        return done

    def copy(self, folder: Path, to: str) -> None:
        """Copy a folder's content into a new folder there.

        Raises:
            TargetError: the board cannot be reached, or has no room.
        """
        done = self._call(["scp", "-q", "-p", "-r", *self._flags(), str(folder), f"{self.host}:{to}"], _COPY_S)
        if done.returncode:
            raise TargetError(f"the bundle cannot be copied to {self.host}: {_last_line(done.stderr)}; make room there")

    def _flags(self) -> list[str]:
        options = ("BatchMode=yes", f"ConnectTimeout={_CONNECT_S}", *self.options)
        return [word for option in options for word in ("-o", option)]

    def _call(self, command: Sequence[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
        if shutil.which(command[0]) is None:
            raise TargetError(f"{command[0]} not found: type 'sudo apt-get install openssh-client'")
        try:
            return children.run(command, timeout_s=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TargetError(
                f"{self.host} did not answer within {timeout_s:g} s: check its network and power"
            ) from error

    def _unreachable(self, said: str) -> TargetError:
        return TargetError(
            f"{self.host} cannot be reached ({_last_line(said)}): 'ssh {self.host}' must work without a password"
        )


def check_bundle(bundle: Path) -> dict[str, str]:
    """The manifest of a whole and undamaged bundle.

    Raises:
        TargetError: there is none, or a file is missing or damaged.
    """
    try:
        manifest: dict[str, str] = json.loads((bundle / "manifest.json").read_text())
        sums = (bundle / "SHA256SUMS").read_text().splitlines()
    except (OSError, ValueError) as error:
        raise TargetError(f"{bundle} is no bundle ({error}): build it with ./nox -s build-target") from error
    for line in sums:
        expected, name = line.split(maxsplit=1)
        path = bundle / name
        if not path.is_file():
            raise TargetError(f"{path} is missing: build the bundle again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise TargetError(f"{path} is damaged: build the bundle again")
    return manifest


def install(remote: Remote, bundle: Path, prefix: str | None, progress: Progress) -> str:
    """Copy a bundle to a board and install it there; a bundle whose self-test fails there leaves things as they were.

    Args:
        prefix: folder to install into; None for /opt/dimmer/<model>.

    Returns:
        What the board's installer says.

    Raises:
        TargetError: the bundle is damaged or for another machine, the board cannot be reached, the self-test fails.
    """
    manifest = check_bundle(bundle)
    progress("asking the board what it is", 0.0)
    machine = remote.run("uname -m").stdout.strip()
    if machine != manifest["architecture"]:
        raise TargetError(
            f"the bundle is for {manifest['architecture']}, {remote.host} is {machine or 'no Linux that says what'}: "
            "build for that, or name another host"
        )
    made = remote.run("mktemp -d /tmp/dimmer.XXXXXXXX")
    incoming = made.stdout.strip()
    if made.returncode or not incoming.startswith("/"):
        raise TargetError(f"{remote.host}: no folder in /tmp can be made: {_last_line(made.stderr)}")
    try:
        progress("copying", 0.1)
        remote.copy(bundle, f"{incoming}/bundle")
        progress("installing and self-test", 0.6)
        words = ["sh", f"{incoming}/bundle/install.sh", *([prefix] if prefix else [])]
        done = remote.run(shlex.join(words), _INSTALL_S)
        if done.returncode:
            raise TargetError(f"{remote.host}: {_last_line(done.stderr).removeprefix('error: ')}")
        return done.stdout.strip()
    finally:
        remote.run(shlex.join(["rm", "-rf", incoming]))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it says nothing"
