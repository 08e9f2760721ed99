# SPDX-License-Identifier: Apache-2.0
"""The record of a mode is that of the runtime's header."""

from __future__ import annotations

import re

from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.npu.kernel import ETHOS_U


def test_the_header_declares_the_same_record() -> None:
    text = (INCLUDE / "dimmer_ethos_u.h").read_text()
    struct = re.search(r"typedef struct \{([^}]*)\} dimmer_ethos_u_t;", text)
    assert struct is not None
    declared = re.findall(r"^\s*(\w+) (\w+);", struct[1], re.MULTILINE)
    assert declared == [(field.ctype.value, field.name) for field in ETHOS_U.fields if not field.reserved]
    assert f"DIMMER_CHECK_SIZE(dimmer_ethos_u_t, {ETHOS_U.record_size});" in text
