# SPDX-License-Identifier: Apache-2.0
"""The self-test's text."""

from __future__ import annotations

from dimmer.pipeline.bundles.packaging.examples import MAIN, c_main, example_files, sketch
from dimmer.pipeline.bundles.packaging.package import Package


def test_a_main_and_an_app_main(blocks: Package) -> None:
    assert "int main(void)\n{\n" in c_main(blocks)
    assert "    return wrong != 0;\n}\n" in c_main(blocks)
    other = c_main(blocks, "void app_main(void)")
    assert "void app_main(void)\n{\n" in other
    assert "return wrong" not in other


def test_a_sketch_has_setup_and_loop(blocks: Package) -> None:
    assert "void setup()" in sketch(blocks)
    assert "void loop()" in sketch(blocks)
    assert "printf" not in sketch(blocks)


def test_where_a_folder_has_it(blocks: Package) -> None:
    assert example_files(blocks) == {MAIN: c_main(blocks)}
