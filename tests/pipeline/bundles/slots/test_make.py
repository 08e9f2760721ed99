# SPDX-License-Identifier: Apache-2.0
"""Models linked for slots: they run on an emulated core, lose its power, and QEMU's board starts what is left.

The bar: pytest -m slow tests/pipeline/bundles/slots/test_make.py
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, engine_sources
from dimmer.pipeline.artifacts.mcuboot import Image, Version, pack, read
from dimmer.pipeline.bundles.slots.make import SlotOrder, link, make_image, name_of_generated
from dimmer.pipeline.image.compiled import known_answers
from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.memory import Region
from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.core32 import RAM, Core, FaultError, linked
from tests.pipeline.image.orders import modes_order

pytestmark = pytest.mark.board("netduinoplus2")

SLOTS = (0x0804_0000, 0x0806_0000)
SLOT_BYTES, LOG_BYTES, BLOCK, GRANULE = 0x8000, 512, 512, 8
LOGS = (0x0803_0000, 0x0803_0200)
CONTROLLER = 0x4000_0000
RECEIVED = RAM + 0x8000
SIGNATURE = -4
"""DIMMER_SLOT_SIGNATURE."""
PLACES = {"SLOT_A": SLOTS[0], "SLOT_B": SLOTS[1], "LOG_A": LOGS[0], "LOG_B": LOGS[1]}


@dataclass(frozen=True)
class Made:
    """A generated model, its order and its code for both slots."""

    generated: Path
    kernels: tuple[str, ...]
    arena: int
    payloads: tuple[bytes, bytes]

    def image(self, slot: int, version: int) -> bytes:
        return pack(Image(self.payloads[slot], SLOTS[slot], Version(1, 0, version), version))

    def order(self, slot: int = 0) -> SlotOrder:
        return SlotOrder(self.generated, "modes", Region(SLOTS[slot], SLOT_BYTES), Version(1, 0, 0), 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("slots")
    order = modes_order(folder)
    target = load_target("netduinoplus2")
    model = generate(
        order.modes,
        folder / "out",
        even_policy(3),
        known_answers(order),
        target.scratch_limit,
        "modes",
        core=target.core,
    )
    wanted = SlotOrder(folder / "out", "modes", Region(SLOTS[0], SLOT_BYTES), Version(1, 0, 0), 1)
    payloads = [link(replace(wanted, slot=Region(at, SLOT_BYTES)), target, model.kernels) for at in SLOTS]
    return Made(folder / "out", model.kernels, model.arena, (payloads[0], payloads[1]))


def test_generated_c_says_what_its_model_is_called(made: Made, tmp_path: Path) -> None:
    assert name_of_generated(made.generated) == "modes"
    with pytest.raises(DimmerError, match="has the C of 0 models, an image has one: name the folder that dimmer firm"):
        name_of_generated(tmp_path)
    (tmp_path / "dimmer_lamp.c").write_text("int lamp;\n")
    with pytest.raises(DimmerError, match=r"dimmer_lamp\.c does not name its model: generate it again"):
        name_of_generated(tmp_path)


class Device:
    """A core with a program, two slots and a log; its power fails in the `last`-th write.

    Args:
        verifier: sources and flags of a program that takes signed images alone.
    """

    def __init__(
        self, made: Made, folder: Path, seed: int, verifier: tuple[Sequence[Path], Sequence[str]] = ((), ())
    ) -> None:
        places = [f"-D{name}={value:#x}u" for name, value in PLACES.items()]
        sizes = [f"-DSLOT_BYTES={SLOT_BYTES}u", f"-DLOG_BYTES={LOG_BYTES}u", f"-DARENA_BYTES={made.arena}"]
        source = Path(__file__).with_name("device.c")
        sources = [source, *engine_sources(), *verifier[0]]
        self.core = Core(linked(folder, sources, [TARGETS / "board"], *places, *sizes, *verifier[1]))
        engine, unicorn = self.core.engine, self.core.unicorn
        rights = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        engine.mem_map(LOGS[0], SLOTS[1] + 0x1_0000 - LOGS[0], rights)
        self.core.write(LOGS[0], b"\xff" * (SLOTS[1] + 0x1_0000 - LOGS[0]))
        engine.mmio_map(CONTROLLER, 0x1000, lambda *_: 0, None, self._write, None)
        self.draw = random.Random(seed)
        self.registers = [0, 0, 0]
        self.steps, self.last = 0, 0
        self.lost = False

    def _write(self, _engine: Any, offset: int, _size: int, value: int, _data: Any) -> None:
        if self.lost:
            return
        if offset < 12:
            self.registers[offset // 4] = value
            return
        address, size, source = self.registers
        step = BLOCK if value == 1 else GRANULE
        for at in range(0, size, step):
            self.steps += 1
            torn = self.steps == self.last
            old = self.core.read(address + at, step)
            if value == 1:
                whole = self.draw.randrange(step) if torn else step
                new = b"\xff" * whole + bytes(byte | self.draw.randrange(256) for byte in old[whole:])
            else:
                data = self.core.read(source + at, step)
                kept = self.draw.randbytes(step) if torn else bytes(step)
                new = bytes(o & (d | k) for o, d, k in zip(old, data, kept, strict=True))
            self.core.write(address + at, new)
            if torn:
                self.lost = True
                self.core.engine.emu_stop()
                return

    def call(self, function: str, *arguments: int, last: int = 0) -> int | None:
        """None where the power failed."""
        self.steps, self.last, self.lost = 0, last, False
        try:
            value = self.core.call(function, *arguments)
        except FaultError:
            if not self.lost:
                raise
            return None
        return None if self.lost else value

    def install(self, image: bytes, slot: int, last: int = 0) -> int | None:
        self.core.write(RECEIVED, image)
        return self.call("install", RECEIVED, len(image), slot, last=last)

    def start(self, last: int = 0) -> int | None:
        self.core.write(RAM, self.draw.randbytes(0x100) + bytes(0x7F00))
        return self.call("start", last=last)


def losses(made: Made, folder: Path, count: int, seed: int) -> tuple[Device, dict[str, int]]:
    """One device through `count` updates that lose their power; what ran after them."""
    device = Device(made, folder, seed)
    current, version = 0, 1
    device.core.write(SLOTS[0], made.image(0, version))
    assert device.start() == 0
    assert device.call("answer") == 1
    whole = (SLOT_BYTES // BLOCK) + len(made.image(0, 1)) // GRANULE
    ran = {"old": 0, "new": 0}
    for _ in range(count):
        slot = 1 - current
        last = device.draw.choice([1 + device.draw.randrange(whole), whole - 4 + device.draw.randrange(50)])
        device.install(made.image(slot, version + 1), slot, last)
        for tries in range(device.draw.randrange(3)):
            device.start(last=1 + device.draw.randrange(10 + tries))
        started = device.start()
        found = device.call("version")
        assert started in (0, 1), started
        assert (started, found) in ((current, 1 << 24 | version), (slot, 1 << 24 | version + 1))
        assert device.call("answer") == 1
        ran["new" if started == slot else "old"] += 1
        if started == slot:
            current, version = slot, version + 1
    return device, ran


def test_a_core_loses_its_power(made: Made, tmp_path: Path) -> None:
    device, ran = losses(made, tmp_path, 6, 1)
    assert sum(ran.values()) == 6
    # Refused with its reason: another slot's, a damaged one, one that is cut, an old one.
    free = 1 - device.start()  # type: ignore[operator]
    image = made.image(free, 50)
    assert device.install(made.image(1 - free, 50), free) == -6
    assert device.install(image[:2000] + bytes([image[2000] ^ 1]) + image[2001:], free) == -3
    assert device.install(image[:4000], free) == -2
    assert device.install(made.image(free, 0), free) == -11
    foreign = replace_core(made.payloads[free])
    assert device.install(pack(Image(foreign, SLOTS[free], Version(1, 0, 50), 50)), free) == -8
    assert device.start() == 1 - free


def replace_core(payload: bytes) -> bytes:
    """The same for a core with Helium."""
    return payload[:12] + (int.from_bytes(payload[12:16], "little") | 4).to_bytes(4, "little") + payload[16:]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_a_core_loses_its_power_often(made: Made, tmp_path: Path, seed: int) -> None:
    _, ran = losses(made, tmp_path, 50, seed)
    print(ran)
    assert min(ran.values()) > 5


@pytest.mark.slow
def test_qemu_starts_what_is_left(made: Made, tmp_path: Path) -> None:
    target = load_target("netduinoplus2")
    sizes = {"DIMMER_SLOT_BYTES": f"{SLOT_BYTES}u", "DIMMER_LOG_BYTES": f"{LOG_BYTES}u"}
    sizes |= {f"DIMMER_{name}": f"{value:#x}u" for name, value in PLACES.items()}
    sizes["DIMMER_ARENA_BYTES"] = str(made.arena)
    sources = [TARGETS / "board" / "field.c", TARGETS / "app" / "text.c", *engine_sources()]
    elf = target.compile(sources, [INCLUDE, TARGETS / "app"], tmp_path / "field", sizes)
    for seed in range(10, 15):
        device, _ = losses(made, tmp_path / str(seed), 8, seed)
        left = tmp_path / f"{seed}.bin"
        # As the power failed in the middle of one more update.
        current = device.start()
        assert current is not None
        device.install(made.image(1 - current, 99), 1 - current, 1 + device.draw.randrange(400))
        left.write_bytes(device.core.read(LOGS[0], SLOTS[1] + SLOT_BYTES - LOGS[0]))
        said = first_lines(elf, left, 4, tmp_path / str(seed))
        assert said[0]["slot"] == current
        assert [line["event"] for line in said] == ["model", "slot", "slot", "inference"]
        assert said[0]["status"] == said[3]["status"] == "ok"
    empty = tmp_path / "empty.bin"
    empty.write_bytes(b"\xff" * 1000)
    said = first_lines(elf, empty, 3, tmp_path)
    assert said[0]["slot"] == -1
    assert said[0]["status"] == "no slot has a model that runs"
    assert [line["status"] for line in said[1:]] == ["there is no image in the slot"] * 2


def first_lines(elf: Path, flash: Path, count: int, folder: Path) -> list[dict[str, Any]]:
    """What the board says by itself, its flash filled from LOGS[0] on."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "line"))
        server.listen(1)
        words = ["qemu-system-arm", "-M", "netduinoplus2", "-display", "none", "-monitor", "none"]
        words += ["-chardev", f"socket,id=line,path={folder / 'line'}", "-serial", "chardev:line"]
        words += ["-kernel", str(elf), "-device", f"loader,file={flash},addr={LOGS[0]:#x},force-raw=on"]
        with subprocess.Popen(words) as board:
            try:
                line, _ = server.accept()
                line.settimeout(60)
                with line, line.makefile("r") as text:
                    return [json.loads(text.readline()) for _ in range(count)]
            finally:
                board.kill()
                (folder / "line").unlink()


@pytest.mark.slow
def test_a_core_takes_what_its_key_signed(made: Made, tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")
    from dimmer.pipeline.bundles.slots.signing import demo_key, keys_header, load_key
    from tests.pipeline.bundles.slots.test_signing import key_file

    library = os.environ.get("DIMMER_MONOCYPHER")
    if library is None:
        pytest.skip("DIMMER_MONOCYPHER names no folder with monocypher.c and monocypher-ed25519.c (docs/field.md)")
    key = load_key(key_file(tmp_path))
    header = tmp_path / "dimmer_keys.h"
    header.write_text(keys_header(key))
    sources = [*sorted(Path(library).glob("*.c")), TARGETS / "board" / "verifier.c"]
    flags = ["-DDIMMER_SIGNED", f"-I{tmp_path}", f"-I{library}", "-Os", f"-I{TARGETS / 'board'}"]
    device = Device(made, tmp_path / "device", 1, (sources, flags))
    image = Image(made.payloads[0], SLOTS[0], Version(1, 0, 1), 1)
    good = pack(image, key.key_hash, key.sign)
    assert device.install(good, 0) == 0
    assert device.start() == 0
    assert device.call("answer") == 1
    newer = Image(made.payloads[1], SLOTS[1], Version(1, 0, 2), 2)
    right = pack(newer, key.key_hash, key.sign)
    forged = {
        "nobody signed it": pack(newer),
        "another key": pack(newer, demo_key().key_hash, demo_key().sign),
        "another key under this one's name": pack(newer, key.key_hash, demo_key().sign),
        "another image's signature": pack(newer, key.key_hash, lambda _: read(good).signature),
    }
    at = right.index(read(right).signature)
    for bit in range(0, 512, 37):
        forged[f"bit {bit}"] = (
            right[: at + bit // 8] + bytes([right[at + bit // 8] ^ 1 << bit % 8]) + right[at + bit // 8 + 1 :]
        )
    for what, wrong in forged.items():
        assert device.install(wrong, 1) == SIGNATURE, what
    assert device.start() == 0
    assert device.install(right, 1) == 0
    assert device.start() == 1
    device.core.write(RECEIVED, read(right).signature + read(right).digest + key.key_hash)
    counted = device.core.instructions("check_signature", RECEIVED + 96, RECEIVED + 64, RECEIVED)
    print(f"{counted} instructions a signature")


def test_what_cannot_be_made_is_one_line(made: Made, tmp_path: Path) -> None:
    target = load_target("netduinoplus2")
    with pytest.raises(DimmerError, match="does not lie in netduinoplus2's flash"):
        link(replace(made.order(), slot=Region(0x0900_0000, SLOT_BYTES)), target)
    with pytest.raises(DimmerError, match="no generated C with known answers"):
        link(replace(made.order(), generated=tmp_path), target)
    with pytest.raises(DimmerError, match="has no flash of its own"):
        link(made.order(), load_target("host"))
    with pytest.raises(TargetError):
        link(replace(made.order(), slot=Region(SLOTS[0], 0x800)), target, made.kernels)


def test_the_demo_key_signs_no_release(made: Made) -> None:
    pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")
    from dimmer.pipeline.bundles.slots.signing import demo_key

    target = load_target("netduinoplus2")
    with pytest.raises(DimmerError, match="no release is signed with it"):
        make_image(made.order(), target, demo_key(), made.kernels)
    assert make_image(replace(made.order(), development=True), target, demo_key(), made.kernels)
