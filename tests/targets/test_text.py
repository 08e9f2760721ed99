# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON of a firmware: what does not fit is left out whole, and the line says so."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import SANITIZED, compile_c

MAIN = """
#include <stdio.h>

#include "platform.h"
#include "text.h"

void platform_print(const char *text, size_t size) {
    (void)fwrite(text, 1, size, stdout);
}

int main(int argc, char **argv) {
    static text_t text;
    int i;

    text_begin(&text, "line");
    for (i = 1; i < argc; ++i) {
        text_string(&text, "key", argv[i]);
    }
    text_number(&text, "last", 7);
    text_end(&text);
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    (folder / "main.c").write_text(MAIN)
    return compile_c(
        "gcc", [folder / "main.c", TARGETS / "app" / "text.c"], folder / "text", f"-I{TARGETS / 'app'}", *SANITIZED
    )


@pytest.mark.parametrize("length", range(120, 175))
def test_a_line_is_json_however_long(program: Path, length: int) -> None:
    value = 'a"' + "b" * (length - 2)
    done = subprocess.run([program, value], capture_output=True, text=True, check=True)
    assert len(done.stdout) <= 192
    said = json.loads(done.stdout)
    assert said["event"] == "line"
    assert said.get("key", value) == value
    assert said.get("cut", False) == ("key" not in said or "last" not in said)


def test_what_fits_behind_it_stays(program: Path) -> None:
    done = subprocess.run([program, "a", "b" * 300], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"event": "line", "key": "a", "last": 7, "cut": True}
