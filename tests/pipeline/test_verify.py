# SPDX-License-Identifier: Apache-2.0
"""A damaged firmware says so."""

from pathlib import Path

import pytest

from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.targets import TargetError, load_target
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


@pytest.mark.board
def test_a_damaged_flash_image_says_so(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    from dimmer.firmware_gen.emit.names import names_of
    from dimmer.pipeline import firmware

    board = load_target("mps2-an386")
    firmware.run(tiny_converted.recipe, tiny_converted.build, board, silent)
    elf = firmware_folder(tiny_converted.build, board.name) / "firmware.elf"
    with elf.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        (weights,) = symbols.get_symbol_by_name(f"{names_of(tiny_converted.recipe.name).symbol}_weights") or []
    image = bytearray(elf.with_suffix(".bin").read_bytes())
    (tmp_path / "good.bin").write_bytes(image)
    assert board.run(tmp_path / "good.bin", ["selftest"], tmp_path).returncode == 0
    image[weights["st_value"] + weights["st_size"] // 2] ^= 0x10
    (tmp_path / "bad.bin").write_bytes(image)
    with pytest.raises(TargetError, match="damaged"):
        board.run(tmp_path / "bad.bin", ["selftest"], tmp_path)
