# SPDX-License-Identifier: Apache-2.0
"""Debian packages are installed where that needs no password, and named in one line where it does."""

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.debian import PACKAGES, missing_tools, named_tools, require_tools
from dimmer.targets import load_target, target_names


@pytest.fixture
def fake_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty PATH with an apt-get that installs a command of the same name as its package."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for command in ("env", "chmod", "cat"):
        (folder / command).symlink_to(f"/usr/bin/{command}")
    write_command(
        folder / "apt-get",
        f'echo "$@" >>{tmp_path}/log\nfor last; do :; done\n'
        f'[ "$last" = update ] || {{ echo "#!/bin/sh" >{folder}/"$last"; chmod +x {folder}/"$last"; }}',
    )
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("DIMMER_OFFLINE", raising=False)
    return folder


def write_command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_nothing_missing_installs_nothing(fake_bin: Path) -> None:
    require_tools({"cat": "coreutils", str(fake_bin): "base-files"})
    assert not (fake_bin.parent / "log").exists()


def test_root_installs(fake_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    require_tools({"lamp": "lamp"})
    assert (fake_bin.parent / "log").read_text().splitlines()[-1].endswith("install -y --no-install-recommends lamp")


def test_sudo_without_a_password_installs(fake_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    write_command(fake_bin / "sudo", '[ "$1" = -n ] && shift && [ "$1" = true ] || "$@"')
    (fake_bin / "true").symlink_to("/usr/bin/true")
    require_tools({"lamp": "lamp"})
    assert (fake_bin / "lamp").exists()


def test_user_is_told_the_line_to_type(fake_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(DimmerError) as caught:
        require_tools({"lamp": "lamp-tools", "bulb": "bulb"})
    assert str(caught.value) == (
        "bulb, lamp not found: type 'sudo apt-get install -y --no-install-recommends bulb lamp-tools'"
    )
    assert not (fake_bin.parent / "log").exists()


def test_offline_installs_nothing(fake_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("DIMMER_OFFLINE", "1")
    with pytest.raises(DimmerError, match="sudo apt-get install"):
        require_tools({"lamp": "lamp"})
    assert not (fake_bin.parent / "log").exists()


def test_failed_install_says_what_apt_said(fake_bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    write_command(fake_bin / "apt-get", "echo 'E: Unable to locate package lamp'; exit 100")
    with pytest.raises(DimmerError, match="E: Unable to locate package lamp"):
        require_tools({"lamp": "lamp"})


def test_compilers_bring_their_c_library() -> None:
    packages = set(named_tools(["arm-none-eabi-gcc", "qemu-system-arm"]).values())
    assert packages == {"gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm"}


def test_clang_brings_its_sanitizers(fake_bin: Path) -> None:
    tools = named_tools(["clang"])
    assert set(tools.values()) == {"clang", "libclang-rt-dev"}
    assert missing_tools(tools) == tools
    library = fake_bin / "libclang_rt.a"
    write_command(fake_bin / "clang", f"echo {library}")
    assert list(missing_tools(tools).values()) == ["libclang-rt-dev"]
    library.touch()
    assert not missing_tools(tools)


def test_an_unknown_tool_is_told() -> None:
    with pytest.raises(DimmerError, match="no Debian package known for 'lampshade'"):
        named_tools(["lampshade"])


@pytest.mark.parametrize("name", target_names())
def test_the_packages_of_every_target_are_known(name: str) -> None:
    assert load_target(name).tools.items() <= PACKAGES.items()
