# SPDX-License-Identifier: Apache-2.0
"""TVM's runtime for a bundle: libraries, header and licences, unpacked once."""

from __future__ import annotations

import os
import platform
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.tvm import runtime, wheels
from dimmer.pipeline.tvm.runtime import LIBRARIES, copy_runtime, installed_versions, tvm_runtime


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"apache-tvm": "9.8.7", "apache-tvm-ffi": "6.5"}
    monkeypatch.setattr(runtime, "installed_versions", lambda: found)
    return found


@pytest.fixture(autouse=True)
def _every_wheel_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "check", lambda _wheel: None)


def pip(contents: dict[str, str], status: int = 0) -> object:
    """In place of children.run: a download that puts a wheel of these files where it is asked to."""

    def run(command: Sequence[str], **_options: object) -> object:
        if not status:
            package = command[-1].split("==")[0]
            with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / f"{package}.whl", "w") as wheel:
                for name, text in contents.items():
                    if package in (name.split("/")[0], "apache-tvm"):
                        wheel.writestr(name, text)
        return SimpleNamespace(returncode=status, stderr="warning: old\nERROR: no matching distribution\n")

    return run


WHEEL = {
    **{source: f"content of {name}" for name, source in LIBRARIES.items()},
    "tvm_ffi/include/tvm/ffi/c_api.h": "a header",
    "tvm_ffi/include/tvm/ffi/notes.md": "no header",
    "apache_tvm-9.8.7.dist-info/licenses/LICENSE": "Apache",
    "apache_tvm-9.8.7.dist-info/METADATA": "Name: apache-tvm\n",
    "tvm/LICENSE": "the same again",
    "tvm/3rdparty/METADATA": "of something else",
    "tvm/relax/license_check.py": "no licence",
}


def test_a_wheel_is_unpacked_once_and_put_into_a_bundle(
    versions: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "run", pip(WHEEL))
    made = tvm_runtime("sparc64", tmp_path / "cache")
    assert (made.version, made.machine) == ("9.8.7", "sparc64")
    files = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert files == {
        *(f"lib/{name}" for name in LIBRARIES),
        "include/tvm/ffi/c_api.h",
        "licences/apache-tvm/LICENSE",
        "licences/apache-tvm/METADATA",
        "licences/apache-tvm/tvm/LICENSE",
    }
    monkeypatch.setattr(children, "run", pip({}, status=1))
    assert tvm_runtime("sparc64", tmp_path / "cache") == made
    copy_runtime(made, tmp_path / "bundle")
    assert (tmp_path / "bundle" / "lib" / "VERSION").read_text() == "9.8.7\n"
    assert (tmp_path / "bundle" / "licences" / "apache-tvm" / "LICENSE").read_text() == "Apache"
    assert all((tmp_path / "bundle" / "lib" / name).is_file() for name in LIBRARIES)


def test_a_wheel_without_a_library_is_refused_and_nothing_is_kept(
    versions: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "run", pip({n: t for n, t in WHEEL.items() if "libtvm_runtime.so" not in n}))
    with pytest.raises(DimmerError, match=r"the sparc64 packages of TVM 9\.8\.7 hold no libtvm_runtime\.so"):
        tvm_runtime("sparc64", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_without_a_network_the_error_says_what_to_do(
    versions: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "run", pip({}, status=1))
    with pytest.raises(
        DimmerError, match=r"wheel of apache-tvm 9\.8\.7 cannot be had \(ERROR: no matching .*connect to PyPI once"
    ):
        tvm_runtime("sparc64", tmp_path / "cache")


def test_this_machine_s_runtime_is_the_installed_one(tmp_path: Path) -> None:
    pytest.importorskip("tvm", reason="needs apache-tvm")
    made = tvm_runtime(platform.machine(), tmp_path)
    assert made.version == installed_versions()["apache-tvm"]
    assert all(library.read_bytes()[:4] == b"\x7fELF" for library in made.libraries)
    assert (made.include / "tvm" / "ffi" / "c_api.h").is_file()
    for package in runtime.PACKAGES:
        assert (made.licences / package / "METADATA").is_file()
        assert (made.licences / package / "LICENSE").is_file()
    assert os.listdir(tmp_path) == [made.folder.name]
