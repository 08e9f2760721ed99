# SPDX-License-Identifier: Apache-2.0
"""What can be flashed, and how the command says that something cannot."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import flash, product, size, validate
from dimmer.pipeline.core.command import INTERRUPTED, exit_status
from dimmer.pipeline.core.stage import Stage
from tests.firmware_gen.networks import tiny_resnet
from tests.targets.kit.test_family import TEN_LINES
from tests.targets.runners.test_image import elf


def test_an_emulated_target_has_nothing_to_flash(capsys: pytest.CaptureFixture[str]) -> None:
    flash.main("mps2-an386", "mnist5k-r14", None, None, None)
    said = capsys.readouterr().out
    assert said.startswith("mps2-an386 runs on qemu-system-arm: there is nothing to flash. ")
    assert "dimmer build --target mps2-an386 --model mnist5k-r14" in said


def test_a_simulated_core_has_nothing_to_flash(capsys: pytest.CaptureFixture[str]) -> None:
    flash.main("ibex-small", "mnist5k-r14", None, None, None)
    assert capsys.readouterr().out.startswith(
        "ibex-small runs on a simulation of its core: there is nothing to flash. "
    )


def test_a_linux_board_needs_a_host_and_no_other_target_takes_one() -> None:
    with pytest.raises(DimmerError, match="jetson is reached over ssh: name the board with --host user@address"):
        flash.main("jetson", "mnist5k-r14", None, None, None)
    with pytest.raises(DimmerError, match="host is not reached over ssh: leave --host away"):
        flash.main("host", "mnist5k-r14", "a@b", None, None)


def test_the_bundle_of_the_model_is_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match=r"is no bundle .*build it with dimmer build"):
        flash.main("jetson", "mnist5k-r14", "a@b", None, ["Port=1"])
    calls: list[tuple[Any, ...]] = []

    def install(*arguments: Any) -> str:
        calls.append(arguments)
        return "installed"

    monkeypatch.setattr("dimmer.targets.runners.ssh.install", install)
    flash.main("jetson", "mnist5k-r14", "a@b", "/opt/here", ["Port=2222"])
    ((remote, bundle, prefix, *_),) = calls
    assert (remote.host, remote.options) == ("a@b", ("Port=2222",))
    assert bundle == tmp_path / "mnist5k-r14" / "jetson" / "bundle" / "mnist5k-r14"
    assert prefix == "/opt/here"
    assert capsys.readouterr().out == "installed\n"


def test_an_installation_that_is_stopped_here_is_not_said_to_have_stopped_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    monkeypatch.setattr("dimmer.targets.runners.ssh.install", stopped)
    assert exit_status(lambda: flash.main("jetson", "mnist5k-r14", "a@b")) == INTERRUPTED
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "stopped; an installation that had begun on a@b goes on there; the same command begins anew"


def test_a_dry_run_reaches_no_linux_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    bundle = tmp_path / "mnist5k-r14" / "jetson" / "bundle" / "mnist5k-r14"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text('{"model": "mnist5k-r14", "architecture": "aarch64"}')
    digest = sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    (bundle / "SHA256SUMS").write_text(f"{digest}  manifest.json\n")
    flash.main("jetson", "mnist5k-r14", "a@b", "/opt/here", ["Port=2222"], dry_run=True)
    uname, made, copied, installed, removed = capsys.readouterr().out.splitlines()
    assert uname.startswith("ssh -o Port=2222 -o BatchMode=yes")
    assert uname.endswith("-- a@b 'uname -m'   # must say aarch64")
    assert "mktemp -d" in made
    assert copied.endswith(f"-- {bundle} a@b:/tmp/dimmer.XXXXXXXX/bundle")
    assert installed.endswith("'sh /tmp/dimmer.XXXXXXXX/bundle/install.sh /opt/here'")
    assert "rm -rf" in removed


def test_a_board_whose_file_says_no_way_is_told_the_key(tmp_path: Path) -> None:
    (tmp_path / "zero").mkdir()
    (tmp_path / "zero" / "target.toml").write_text(TEN_LINES)
    with pytest.raises(
        DimmerError, match=r"zero has no \[flash\] in .*target\.toml: say how it is written \(uf2, esptool"
    ):
        flash.main(str(tmp_path / "zero"))


def test_what_was_made_of_a_tflite_is_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    file = tmp_path / "lamp.tflite"
    file.write_bytes(tiny_resnet())
    with pytest.raises(
        DimmerError, match=r"there is no .*: type dimmer firmware --target pico --tflite .*lamp\.tflite"
    ):
        flash.main("pico", tflite=[file])

    def action(out: Path) -> None:
        elf(out / "firmware.elf", (0x10000000, b"lamp"))

    Stage("firmware", tmp_path / "lamp" / "pico" / "firmware", action, given=[file]).run()
    flash.main("pico", tflite=[file], dry_run=True)
    assert capsys.readouterr().out.startswith("copy firmware.uf2, 4 bytes at 0x10000000")
    file.write_bytes(tiny_resnet() + b"\0")
    for command in (flash.main, product.main, partial(validate.main, "/no/port"), size.main):
        with pytest.raises(
            DimmerError, match=r"pico/firmware was not made of .*lamp\.tflite as it is now: type dimmer f"
        ):
            command("pico", tflite=[file])


def test_a_board_needs_a_build_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match=r"there is no .*firmware\.elf: type dimmer build --target pico"):
        flash.main("pico", "mnist5k-r14")
    with pytest.raises(DimmerError, match="pico is not reached over ssh"):
        flash.main("pico", "mnist5k-r14", "a@b")


def test_a_pico_is_flashed_into_its_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dimmer.targets.runners.uf2.LEFT_S", 0.1)
    program = elf(tmp_path / "firmware.elf", (0x10000000, b"lamp"))
    drive = tmp_path / "RPI-RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    flash.main("pico", "mnist5k-r14", drive=drive, elf=program, dry_run=True)
    assert capsys.readouterr().out == f"copy firmware.uf2, 4 bytes at 0x10000000, to {drive}\n"
    assert not (drive / "firmware.uf2").exists()
    flash.main("pico", "mnist5k-r14", drive=drive, elf=program)
    assert "pico: 4 bytes at 0x10000000 taken by the board; uf2 reads nothing back" in capsys.readouterr().out
    assert (drive / "firmware.uf2").stat().st_size == 512


def test_options_that_nothing_would_heed_are_refused(tmp_path: Path) -> None:
    files = [tmp_path / "net.tflite"]
    with pytest.raises(DimmerError, match="jetson takes the bundle of a recipe, by --model: leave --tflite out"):
        flash.main("jetson", host="user@board", tflite=files)
    with pytest.raises(DimmerError, match="--elf names the program: leave --name out"):
        flash.main("pico", tool="uf2", elf=tmp_path / "a.elf", name="lamp")
