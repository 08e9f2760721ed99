# SPDX-License-Identifier: Apache-2.0
"""What the bytes of a firmware are for."""

from pathlib import Path

from dimmer.firmware_gen.library import sources
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.elf_shares import elf_shares
from dimmer.targets import load_target
from tests.pipeline.image.orders import modes_order


def test_sizes_by_origin(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, load_target("host"), tmp_path / "out")
    shares = elf_shares(compiled.elf, {path.name for path in sources()}, compiled.model.symbol)
    assert shares.weights == sum(-(-c.size // 4) * 4 for c in compiled.model.constants if c.table == "weights")
    assert shares.tables >= compiled.model.table_bytes + compiled.model.parameter_bytes
    assert 0 < shares.runtime_code < compiled.sizes.text
