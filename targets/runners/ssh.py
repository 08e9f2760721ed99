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
from dimmer.errors import DimmerError
from dimmer.targets.kit.errors import TargetError

Progress = Callable[[str, float], None]

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"

_UNREACHABLE = 255  # ssh's own exit status, whatever the reason
_CONNECT_S = 10
_COPY_S = 900
_SIGN_S = 120
_INSTALL_S = 900
# A prompt would wait for a terminal that a child does not have: asked for a passphrase, ssh-keygen fails at once.
_NO_PROMPT = ("env", "SSH_ASKPASS=false", "SSH_ASKPASS_REQUIRE=force")
# On the board, before anything of the bundle is run there: what install.sh checks, by the board's own programs.
# In one line, since not every login shell quotes several.
_CHECK = (
    'for signers in "$2/allowed_signers" /etc/dimmer/allowed_signers; do '
    '[ -e "$signers" ] || [ -L "$signers" ] || continue; '
    'ssh-keygen -Y verify -f "$signers" -I dimmer -n dimmer-bundle -s "$1/SHA256SUMS.sig" <"$1/SHA256SUMS" '
    '&& cd "$1" && sha256sum --quiet --strict -c SHA256SUMS && exit 0; exit 1; done'
)
"""Not with ssh-keygen's own status: 255 is that of an ssh that reaches nobody."""


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
        done = self._call(["ssh", *self._flags(), "--", self.host, command], timeout_s)
        if done.returncode == _UNREACHABLE:
            raise self._unreachable(done.stderr)
        return done

    def shown(self, command: str) -> str:
        """The line that `run` starts, as a person would type it."""
        return shlex.join(["ssh", *self._flags(), "--", self.host, command])

    def copy(self, folder: Path, to: str) -> None:
        """Copy a file there, or a folder's content into a new folder.

        Raises:
            TargetError: the board cannot be reached, or has no room.
        """
        done = self._call(self.copying(folder, to), _COPY_S)
        if done.returncode:
            raise TargetError(f"the bundle cannot be copied to {self.host}: {_last_line(done.stderr)}; make room there")

    def copying(self, folder: Path, to: str) -> list[str]:
        """The words of `copy`."""
        # ssh wants an IPv6 address bare, scp in brackets.
        user, at, address = self.host.rpartition("@")
        host = f"{user}{at}[{address}]" if address.count(":") > 1 else self.host
        return ["scp", "-q", "-p", "-r", *self._flags(), "--", str(folder), f"{host}:{to}"]

    def _flags(self) -> list[str]:
        # Of an option that is named twice ssh takes the first.
        options = (*self.options, "BatchMode=yes", f"ConnectTimeout={_CONNECT_S}")
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
        TargetError: there is none, a file is missing or damaged, or is none that the list names.
    """
    try:
        manifest: dict[str, str] = json.loads((bundle / "manifest.json").read_text())
        sums = (bundle / SUMS).read_text().splitlines()
    except (OSError, ValueError, RecursionError) as error:
        raise TargetError(f"{bundle} is no bundle ({error}): build it with dimmer build") from error
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(key), str) for key in ("model", "architecture")
    ):
        raise TargetError(f"{bundle} is no bundle (manifest.json is damaged): build it with dimmer build")
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in sums)}
    found = {
        path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    if more := sorted(found - listed.keys() - {SUMS, SIGNATURE}):
        raise TargetError(f"{bundle / more[0]} is in no list of the bundle's files: build the bundle again")
    for name, expected in listed.items():
        path = bundle / name
        if not path.is_file():
            raise TargetError(f"{path} is missing: build the bundle again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise TargetError(f"{path} is damaged: build the bundle again")
    return manifest


def sign(bundle: Path, key: Path, out: Path) -> Path:
    """Signs a bundle's list of files, as `ssh-keygen -Y verify` checks it on the board.

    Args:
        key: a private key of ssh's, or a public one whose private half an agent holds.
        out: folder for the signature.

    Raises:
        TargetError: there is no such key, or it does not sign.
    """
    to_sign = out / SUMS
    shutil.copyfile(bundle / SUMS, to_sign)
    command = [*_NO_PROMPT, "ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "dimmer-bundle", str(to_sign)]
    if shutil.which("ssh-keygen") is None:
        raise TargetError("ssh-keygen not found: type 'sudo apt-get install openssh-client'")
    try:
        # A key on a token may wait for a finger.
        done = children.run(command, timeout_s=_SIGN_S)
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"{key} was not unlocked within {_SIGN_S} s: give it to ssh-agent with ssh-add") from error
    if done.returncode and "passphrase" in done.stderr:
        raise TargetError(f"{key} has a passphrase: give it to ssh-agent with 'ssh-add {shlex.quote(str(key))}' first")
    if done.returncode:
        raise TargetError(
            f"{key} does not sign ({_last_line(done.stderr)}): name a key of ssh's, as made by ssh-keygen"
        )
    return to_sign.with_name(SIGNATURE)


def steps(remote: Remote, bundle: Path, prefix: str | None, key: Path | None = None) -> list[str]:
    """What `install` does on a board, a line each, as a person would type it; nothing is reached.

    Raises:
        TargetError: the bundle is damaged.
    """
    manifest = check_bundle(bundle)
    incoming = "/tmp/dimmer.XXXXXXXX"
    # Of a copy, as `install` does: a signature in the build's folder would be no file that its stage has made.
    copied = f"{incoming}.{SUMS}"
    signing = [*_NO_PROMPT, "ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "dimmer-bundle", copied]
    signature = shlex.join(remote.copying(Path(f"{copied}.sig"), f"{incoming}/bundle/{SIGNATURE}"))
    signed = [shlex.join(["cp", str(bundle / SUMS), copied]), shlex.join(signing)]
    return [
        f"{remote.shown('uname -m')}   # must say {manifest['architecture']}",
        remote.shown(f"mktemp -d {incoming}"),
        shlex.join(remote.copying(bundle, f"{incoming}/bundle")),
        *([] if key is None else [*signed, signature]),
        remote.shown(shlex.join(["sh", f"{incoming}/bundle/install.sh", *([prefix] if prefix else [])])),
        remote.shown(f"rm -rf {incoming}"),
    ]


def install(remote: Remote, bundle: Path, prefix: str | None, progress: Progress, key: Path | None = None) -> str:
    """Copy a bundle to a board and install it there; a bundle whose self-test fails there leaves things as they were.

    Args:
        prefix: folder to install into; None for /opt/dimmer/<model>.
        key: of ssh's, to sign the bundle with; boards whose installer knows signers take no other.

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
        if key is not None:
            with children.scratch() as folder:
                remote.copy(sign(bundle, key, folder), f"{incoming}/bundle/{SIGNATURE}")
        progress("installing and self-test", 0.6)
        place = prefix or f"/opt/dimmer/{manifest['model']}"
        checked = remote.run(shlex.join(["sh", "-c", _CHECK, "sh", f"{incoming}/bundle", place]), _INSTALL_S)
        if checked.returncode:
            raise TargetError(
                f"the bundle is not signed by anybody whom {remote.host} names, or was damaged on its way "
                f"({_last_line(checked.stderr)}): name a key with --sign"
            )
        words = ["sh", f"{incoming}/bundle/install.sh", *([prefix] if prefix else [])]
        done = remote.run(shlex.join(words), _INSTALL_S)
        if done.returncode:
            raise TargetError(f"{remote.host}: {_last_line(done.stderr).removeprefix('error: ')}")
        said = done.stdout.strip()
    except BaseException:
        _is_removed(remote, incoming)
        raise
    return said if _is_removed(remote, incoming) else f"{said}; {incoming} could not be removed there"


def _is_removed(remote: Remote, folder: str) -> bool:
    """Removes a folder of the board; one that stays in /tmp is no reason to hide what else there is to say."""
    try:
        return remote.run(shlex.join(["rm", "-rf", folder])).returncode == 0
    except DimmerError:
        return False


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it says nothing"
