# SPDX-License-Identifier: Apache-2.0
"""Every source file says which licence it is under; what the generator writes says whose it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.text import HEADER

ROOT = Path(__file__).resolve().parent.parent
LINE = "SPDX-License-Identifier: Apache-2.0"
SUFFIXES = (".py", ".c", ".h", ".cpp", ".ld", ".sh", ".service", ".toml", ".yml", ".sv", ".vlt", ".f")
SCRIPTS = ("nox", ".ci/run")
GENERATED = "tests/firmware_gen/golden/"
"""What the generator writes belongs to whoever runs it."""
FIRST_LINES = 2
"""A script's first line names its interpreter."""


def sources() -> list[str]:
    """Source files, as git knows them."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in names if name in SCRIPTS or Path(name).suffix in SUFFIXES]


def test_every_source_file_names_the_licence() -> None:
    own = [name for name in sources() if not name.startswith(GENERATED)]
    assert len(own) > 500
    first = {name: (ROOT / name).read_text().splitlines()[:FIRST_LINES] for name in own}
    without = [name for name, lines in first.items() if not any(LINE in line for line in lines)]
    assert without == [], "each of these begins with a comment 'SPDX-License-Identifier: Apache-2.0'"


def test_a_line_is_not_hidden_in_a_text() -> None:
    """It is a comment of the file's own kind."""
    for name in sources():
        if name.startswith(GENERATED):
            continue
        line = next(line for line in (ROOT / name).read_text().splitlines() if LINE in line)
        suffix = Path(name).suffix
        c, verilog = suffix in (".c", ".h", ".cpp", ".ld"), suffix in (".sv", ".vlt")
        assert line == (f"/* {LINE} */" if c else f"// {LINE}" if verilog else f"# {LINE}"), name


def test_what_is_generated_belongs_to_who_generates_it() -> None:
    generated = [name for name in sources() if name.startswith(GENERATED)]
    assert len(generated) > 4
    assert "belongs to you" in HEADER
    for name in generated:
        text = (ROOT / name).read_text()
        assert text.startswith(HEADER)
        assert LINE not in text


def test_the_licence_is_the_whole_one() -> None:
    text = (ROOT / "LICENSE").read_text()
    for word in ("Apache License", "Version 2.0, January 2004", "9. Accepting Warranty", "END OF TERMS AND CONDITIONS"):
        assert word in text


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "models/LICENCES.md", "CITATION.cff", "SECURITY.md"])
def test_who_ships_it_finds(name: str) -> None:
    assert (ROOT / name).stat().st_size > 500


def test_every_model_that_ships_weights_tells_their_terms() -> None:
    text = (ROOT / "models" / "LICENCES.md").read_text()
    models = {path.parent.name for path in (ROOT / "models").glob("*/recipe.toml")}
    assert models
    assert all(f"| `{name}` |" in text for name in models)
    for weights in (ROOT / "models").glob("*/*.safetensors"):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{weights.parent.name}` |"))
        assert f"`{weights.name}`" in row
