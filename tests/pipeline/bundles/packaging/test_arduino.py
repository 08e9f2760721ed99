# SPDX-License-Identifier: Apache-2.0
"""The Arduino library: the rules of its specification and linter, and a sketch that is C++."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dimmer.pipeline.bundles.packaging.arduino import arduino_files
from dimmer.pipeline.bundles.packaging.formats import FORMATS, files_of
from dimmer.pipeline.bundles.packaging.package import Package
from tests.pipeline.bundles.packaging.made import spread

CATEGORIES = {
    "Display",
    "Communication",
    "Signal Input/Output",
    "Sensors",
    "Device Control",
    "Timing",
    "Data Storage",
    "Data Processing",
    "Other",
}
SEMVER = r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"

# What the sketch needs of an Arduino core.
CORE = """\
#include <stdint.h>
#include <stdio.h>
struct Port {
    void begin(long) {}
    operator bool() { return true; }
    void print(const char *text) { fputs(text, stdout); }
    void print(unsigned number) { printf("%u", number); }
    void println(const char *text) { puts(text); }
} Serial;
unsigned long millis() { return 0; }
#include "selftest.ino"
int main() { setup(); loop(); }
"""


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def broken_rules(files: dict[str, str]) -> list[str]:
    """Rules of the library specification, as arduino-lint checks them for the library manager."""
    found, own = [], properties(files["library.properties"])
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9 _.-]{0,62}", own["name"]) or own["name"].lower().startswith("arduino"):
        found.append("name")
    if not re.fullmatch(SEMVER, own["version"]):
        found.append("version")
    if not re.fullmatch(r"[^<>]+ <[^@<>]+@[^@<>]+>", own["maintainer"]) or "arduino.cc" in own["maintainer"]:
        found.append("maintainer")
    if own["category"] not in CATEGORIES:
        found.append("category")
    if own["paragraph"].startswith(own["sentence"]):
        found.append("paragraph")
    if any(f"src/{header}" not in files for header in own["includes"].split(",")):
        found.append("includes")
    for path in files:
        folder, _, file = path.rpartition("/")
        if file.endswith(".ino") and folder.rpartition("/")[2] != file.removesuffix(".ino"):
            found.append("examples")
        if file == ".development" or file.endswith(".exe"):
            found.append(file)
    return found + [name for name in ("LICENSE", "README.md") if name not in files]


def test_the_rules(blocks: Package) -> None:
    assert broken_rules(files_of(blocks, FORMATS["arduino"])) == []


@pytest.mark.parametrize(
    ("key", "value"), [("version", "1.x"), ("category", "AI"), ("name", "Arduino_x"), ("includes", "nowhere.h")]
)
def test_the_rules_find_what_is_wrong(key: str, value: str, blocks: Package) -> None:
    files = files_of(blocks, FORMATS["arduino"])
    text = files["library.properties"]
    files["library.properties"] = re.sub(rf"^{key}=.*$", f"{key}={value}", text, flags=re.MULTILINE)
    assert broken_rules(files) == [key]


def test_two_libraries_link_one_runtime(blocks: Package) -> None:
    """A library that is linked as an archive gives way to another that has the same."""
    assert properties(arduino_files(blocks)["library.properties"])["dot_a_linkage"] == "true"


@pytest.mark.slow
def test_the_sketch_runs(blocks: Package, tmp_path: Path) -> None:
    """As the IDE compiles: src/ is the only folder to include from, sources as C, the sketch as C++."""
    folder = spread(files_of(blocks, FORMATS["arduino"]), tmp_path / "p")
    sources = sorted(map(str, (folder / "src").rglob("*.c")))
    (tmp_path / "o").mkdir()
    command = ["gcc", "-Os", "-Wall", "-Wextra", "-Werror", "-I", str(folder / "src"), "-c", *sources]
    subprocess.run(command, cwd=tmp_path / "o", check=True)
    (tmp_path / "main.cpp").write_text(CORE)
    objects = sorted(map(str, (tmp_path / "o").glob("*.o")))
    places = ["-I", str(folder / "src"), "-I", str(folder / "examples" / "selftest")]
    subprocess.run(["g++", *places, "main.cpp", *objects, "-o", "sketch"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "sketch"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*(f"mode {n}: as TFLite computes it" for n in range(3)), "0 modes differ"]
