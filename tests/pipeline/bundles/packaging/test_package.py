# SPDX-License-Identifier: Apache-2.0
"""What a package tells of itself, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.bundles.packaging.package import End, Package, Publisher, check_version, content_hash, plain
from tests.firmware_gen.emit.nasty import NASTY


def test_the_version_names_model_abi_and_contents(blocks: Package) -> None:
    assert blocks.version.startswith(f"1.0.0+abi{ABI}.")
    path = blocks.model_sources[0]
    other = replace(blocks, model={**blocks.model, path: blocks.model[path] + "\n"})
    assert other.version != blocks.version
    assert other.runtime_hash == blocks.runtime_hash
    assert replace(blocks, notices={}).version == blocks.version


def test_a_hash_knows_where_a_file_ends() -> None:
    assert content_hash({"a": "bc"}) != content_hash({"ab": "c"})
    assert content_hash({"a": "b", "c": "d"}) != content_hash({"a": "bc", "": "d"})


def test_headers_are_told_apart(blocks: Package) -> None:
    own = "dimmer_blocks"
    assert blocks.model_headers == tuple(f"src/{own}{end}.h" for end in ("", "_io", "_known_answers"))
    assert "src/dimmer.h" in blocks.runtime_headers
    assert not any("kernels/" in path for path in blocks.headers)
    assert sorted(blocks.headers) == sorted((*blocks.model_headers, *blocks.runtime_headers))


@pytest.mark.parametrize("version", ["1.2.3", "0.0.1", "10.20.30"])
def test_versions(version: str) -> None:
    assert check_version(version) == version


@pytest.mark.parametrize("version", ["1.2", "1.x", "v1.2.3", "1.2.3-rc1", "01.2.3", "", "1.2.3\n", "1.2.99999999"])
def test_versions_that_are_refused(version: str) -> None:
    with pytest.raises(DimmerError, match="write three numbers, such as 1\\.0\\.0"):
        check_version(version)


@pytest.mark.parametrize(
    ("publisher", "said"),
    [
        (Publisher(vendor="My Company"), "--vendor 'My Company': take letters"),
        (Publisher(vendor=""), "--vendor ''"),
        (Publisher(maintainer="me"), "--maintainer 'me': write it as"),
        (Publisher(maintainer="me <me@x>\nversion=9"), "--maintainer"),
        (Publisher(url="ftp://x"), "--url 'ftp://x'"),
        (Publisher(url="https://a/<b>"), "--url"),
    ],
)
def test_publishers_that_are_refused(publisher: Publisher, said: str) -> None:
    with pytest.raises(DimmerError) as caught:
        publisher.check()
    assert str(caught.value).startswith(said)


def test_a_publisher() -> None:
    Publisher("My_Co", "Ada L. <ada@example.org>", "https://example.org/x").check()
    Publisher().check()


@pytest.mark.parametrize("name", NASTY)
def test_plain_names_leave_nothing(name: str) -> None:
    assert not set(plain(name)) & set("\"'\\\n|<>&$%*{}?\x00")


def test_ends_in_words() -> None:
    assert End("int8", (1, 2), 0.5, -3).text == "int8[1,2], value = 0.5 * (code - -3)"
    assert End("float32", (1, 2), None, None).text == "float32[1,2]"
    assert [End(kind, (), None, None).c_type for kind in ("int8", "uint8", "float32")] == ["int8_t", "uint8_t", "float"]
