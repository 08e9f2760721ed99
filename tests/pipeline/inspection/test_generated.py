# SPDX-License-Identifier: Apache-2.0
"""A generated header tells model, ABI, sizes and modes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.generate import generate
from dimmer.pipeline.inspection.generated import inspect_header
from tests.firmware_gen.modes import write_modes

HEADER = f"""#if DIMMER_ABI != {ABI}
#error "x"
#endif
#define DIMMER_LAMP_ARENA_SIZE 4096u /* bytes, scratch included */
#define DIMMER_LAMP_INPUT_SIZE 784u /* bytes: int8[1,28,28,1], scale 0.5, zero point 0 */
enum {{
    DIMMER_LAMP_MODE_88 = 0, /* 88, 2000 MACs */
    DIMMER_LAMP_MODE_80 = 1 /* 80, 1000 MACs */
}};
extern const dimmer_model_t dimmer_lamp;
"""


def test_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "dimmer_lamp.h"
    path.write_text(HEADER)
    found = inspect_header(path)
    assert found.facts == (
        ("model", "dimmer_lamp"),
        ("ABI", str(ABI)),
        ("arena", "4,096 bytes: scratch included"),
        ("input", "784 bytes: int8[1,28,28,1], scale 0.5, zero point 0"),
        ("mode 0", "88, 2,000 MACs"),
        ("mode 1", "80, 1,000 MACs"),
    )
    assert found.problems == ()


def test_a_header_that_was_generated(tmp_path: Path) -> None:
    model = generate(write_modes(tmp_path), tmp_path / "out", name="lamp")
    found = inspect_header(tmp_path / "out" / "dimmer_lamp.h")
    facts = dict(found.facts)
    assert (facts["model"], facts["ABI"], found.problems) == (model.symbol, str(ABI), ())
    assert facts.keys() >= {"arena", "input", "output", "mode 0", "mode 1", "mode 2"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (f"!= {ABI}", f"!= {ABI + 1}", f"it is of ABI {ABI + 1}"),
        ("_80 = 1", "_80 = 2", "not numbered from 0"),
        ("MACs", "lamps", "not numbered from 0"),
    ],
)
def test_what_is_wrong_with_it(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "dimmer_lamp.h"
    path.write_text(HEADER.replace(old, new))
    assert problem in inspect_header(path).problems[0]


@pytest.mark.parametrize("text", [b"", b"#include <stdio.h>\n", b"\xff\xfe"])
def test_another_header_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "stdio.h"
    path.write_bytes(text)
    with pytest.raises(DimmerError, match=r"stdio\.h (is no model's header|cannot be read)"):
        inspect_header(path)
