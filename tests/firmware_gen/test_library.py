# SPDX-License-Identifier: Apache-2.0
"""The C library as files."""

from __future__ import annotations

import re

from dimmer.firmware_gen.library import INCLUDE, engine_sources, entry_points, kernel_sources, sources


def test_a_firmware_gets_the_kernels_that_it_names_and_what_kernels_share() -> None:
    every = {path.name for path in kernel_sources()}
    chosen = {path.name for path in kernel_sources(["dimmer_add_s8"])}
    assert "dimmer_add_s8.c" in chosen
    assert {name for name in chosen if name.startswith("dimmer_")} == {"dimmer_add_s8.c"}
    assert chosen - {"dimmer_add_s8.c"} == {name for name in every if not name.startswith("dimmer_")}


def test_the_order_is_that_of_the_names_whatever_the_folder() -> None:
    found = kernel_sources()
    assert [path.name for path in found] == sorted(path.name for path in found)
    assert len({path.parent for path in found}) > 1
    assert sources(["dimmer_add_s8"]) == engine_sources() + kernel_sources(["dimmer_add_s8"])


def test_headers_and_engine_lie_where_they_are_looked_for() -> None:
    assert (INCLUDE / "dimmer.h").is_file()
    assert all(path.is_file() for path in sources())
    assert engine_sources()


def test_entry_points_are_the_functions_of_the_header() -> None:
    found = entry_points()
    header = (INCLUDE / "dimmer.h").read_text()
    assert found[0] == "dimmer_init"
    assert {"dimmer_invoke", "dimmer_set_mode", "dimmer_policy_next", "dimmer_crc32", "dimmer_input"} <= set(found)
    assert (
        len(found)
        == len(set(found))
        == header.count(");\n") - len(re.findall(r"^typedef [^;{]*\(\*", header, re.MULTILINE))
    )
