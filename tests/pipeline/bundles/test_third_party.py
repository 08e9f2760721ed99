# SPDX-License-Identifier: Apache-2.0
"""THIRD_PARTY.md names every package whose parts are in a bundle, from the package's own metadata."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.bundles.third_party import NOTICE, Package, read_package, write_notice
from dimmer.pipeline.tvm.runtime import LIBRARIES, PACKAGES, TvmRuntime, copy_runtime, tvm_runtime

METADATA = """\
Metadata-Version: 2.4
Name: {name}
Version: 9.8.7
License-Expression: Apache-2.0
Project-URL: Homepage, https://example.org/{name}

A description, with a line
License: that is none.
"""


def package(folder: Path, name: str, text: str = METADATA) -> Path:
    (folder / name / "tvm").mkdir(parents=True)
    (folder / name / "METADATA").write_text(text.format(name=name))
    (folder / name / "LICENSE").write_text("terms")
    (folder / name / "tvm" / "NOTICE").write_text("and whose")
    return folder / name


def test_a_package_is_read_from_its_metadata(tmp_path: Path) -> None:
    found = read_package(package(tmp_path, "apache-tvm"))
    libraries = ("libtvm_runtime.so", "libtvm_runtime_cuda.so")
    home = "https://example.org/apache-tvm"
    assert found == Package("apache-tvm", "9.8.7", "Apache-2.0", home, libraries, ("LICENSE", "tvm/NOTICE"))


def test_the_older_fields_are_read_too(tmp_path: Path) -> None:
    text = "Name: lamp\nVersion: 1\nLicense: BSD 3-Clause\nHome-page: https://example.org\n"
    found = read_package(package(tmp_path, "lamp", text))
    assert (found.licence, found.home, found.libraries) == ("BSD 3-Clause", "https://example.org", ())


@pytest.mark.parametrize("removed", ["License-Expression: Apache-2.0\n", None])
def test_a_package_without_a_licence_is_not_passed_on(removed: str | None, tmp_path: Path) -> None:
    folder = package(tmp_path, "lamp", METADATA.replace(removed, "") if removed else METADATA)
    if removed is None:
        (folder / "LICENSE").unlink()
        (folder / "tvm" / "NOTICE").unlink()
    with pytest.raises(DimmerError, match=r"lamp 9\.8\.7 comes without a licence"):
        read_package(folder)


def test_a_package_without_metadata_says_what_to_remove(tmp_path: Path) -> None:
    folder = package(tmp_path / "cache" / "licences", "lamp")
    (folder / "METADATA").unlink()
    with pytest.raises(DimmerError, match=rf"has no METADATA .*remove {tmp_path}/cache$"):
        read_package(folder)


@pytest.mark.parametrize("gpu", [False, True])
def test_the_notice_of_a_bundle(gpu: bool, tmp_path: Path) -> None:
    for name in PACKAGES:
        package(tmp_path / "runtime" / "licences", name)
    bundle = tmp_path / "bundle"
    (bundle / "lib").mkdir(parents=True)
    if gpu:
        (bundle / "lib" / "dimmer_modes_cuda.so").touch()
    write_notice(TvmRuntime("9.8.7", "sparc64", tmp_path / "runtime"), bundle)
    text = (bundle / NOTICE).read_text()
    for name in PACKAGES:
        assert f"[{name}](https://example.org/{name}) | 9.8.7 | Apache-2.0 | `{name}/LICENSE`" in text
    assert all(f"`lib/{library}`" in text for library in LIBRARIES)
    assert ("NVIDIA" in text) == gpu
    assert "Apache License" in (bundle / "licences" / "dimmer" / "LICENSE").read_text()
    assert (bundle / "licences" / "dimmer" / "NOTICE").is_file()


def test_the_texts_that_the_notice_names_are_in_the_bundle(tmp_path: Path) -> None:
    pytest.importorskip("tvm", reason="needs apache-tvm")
    runtime = tvm_runtime(platform.machine(), tmp_path / "cache")
    bundle = tmp_path / "bundle"
    copy_runtime(runtime, bundle)
    write_notice(runtime, bundle)
    packages = [read_package(folder) for folder in sorted(runtime.licences.iterdir())]
    assert [found.name for found in packages] == sorted(PACKAGES)
    for found in packages:
        assert found.version == metadata.version(found.name)
        assert "Apache" in found.licence
        for text in found.texts:
            assert f"`{found.name}/{text}`" in (bundle / NOTICE).read_text()
            assert (bundle / "licences" / found.name / text).stat().st_size > 0
