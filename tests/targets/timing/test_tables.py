# SPDX-License-Identifier: Apache-2.0
"""The tables: every entry has its document, and only M33's is a guess."""

import re

import pytest

from dimmer.targets.timing.kinds import Kind
from dimmer.targets.timing.tables import TABLES

DOCUMENTS = {
    "cortex-m0plus": "DDI 0484C",
    "cortex-m3": "DDI 0337I",
    "cortex-m4": "DDI 0439B",
    "cortex-m33": "DDI 0439B",
}


@pytest.mark.parametrize("core", TABLES)
def test_every_entry_names_document_and_section(core: str) -> None:
    table = TABLES[core]
    for kind, cost in table.costs.items():
        assert re.match(rf"{DOCUMENTS[core]}, section \d", cost.source), kind
        assert cost.cycles >= 1
    assert bool(table.rules) == (table.pairs_loads or table.waits_for_address > 0)
    assert bool(table.guess) == (core == "cortex-m33")


def test_instructions_that_a_core_lacks_have_no_entry() -> None:
    assert Kind.IF_THEN not in TABLES["cortex-m0plus"].costs
    assert Kind.MULTIPLY_DSP not in TABLES["cortex-m3"].costs
    assert set(TABLES["cortex-m4"].costs) == set(Kind)
