# SPDX-License-Identifier: Apache-2.0
"""The page of dimmer.h has everything that it declares, with its comment."""

from __future__ import annotations

import re

from dimmer.firmware_gen.library import INCLUDE
from tools.header_reference import Entry, entries, page

HEADER = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* A lamp: one *bulb*.
 *
 * Somebody owns it. */
#ifndef LAMP_H
#define LAMP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Watts,
 * at most. */
#define LAMP_WATTS 60u

/* What it is made of. */
typedef struct {
    int watts;

    int colour; /* kelvins */
} lamp_t;

/* Called when it burns out. */
typedef void (*lamp_hook_t)(lamp_t *lamp, void *user);

/* Sets lamp_t to watts[0..1]. Returns dimmer_status_t. */
int lamp_set(lamp_t *lamp, int watts);
void lamp_hook(lamp_t *lamp,
               void (*hook)(void));

#ifdef __cplusplus
}
#endif

#endif
"""


def test_a_small_header() -> None:
    assert [(entry.kind, entry.names) for entry in entries(HEADER)] == [
        ("macro", ("LAMP_WATTS",)),
        ("type", ("lamp_t",)),
        ("type", ("lamp_hook_t",)),
        ("function", ("lamp_set", "lamp_hook")),
    ]
    assert entries(HEADER)[0] == Entry("macro", ("LAMP_WATTS",), "Watts,\nat most.", "#define LAMP_WATTS 60u")
    assert "kelvins" in entries(HEADER)[1].code


def test_its_page() -> None:
    text = page(HEADER, "lamp.h")
    assert text.startswith("# lamp.h\n\nA lamp: one \\*bulb\\*.\n\nSomebody owns it.\n")
    assert "SPDX" not in text
    assert text.index("### LAMP_WATTS") < text.index("### lamp_t") < text.index("### lamp_set, lamp_hook")
    assert "watts\\[0..1\\]. Returns `dimmer_status_t`." in text


def test_dimmer_h_is_there_whole() -> None:
    header = (INCLUDE / "dimmer.h").read_text()
    found = {name for entry in entries(header) for name in entry.names}
    declared = set(re.findall(r"^(?!#)[^*/\n]*?\b(dimmer_\w+)\([^*]", header, re.MULTILINE))
    declared |= set(re.findall(r"^#define (DIMMER_\w+) ", header, re.MULTILINE))
    declared |= set(re.findall(r"^\} (\w+);", header, re.MULTILINE))
    assert len(declared) > 25
    assert declared <= found


def test_every_function_of_dimmer_h_has_a_comment() -> None:
    functions = [entry for entry in entries((INCLUDE / "dimmer.h").read_text()) if entry.kind == "function"]
    assert [entry.names for entry in functions if not entry.text] == []
