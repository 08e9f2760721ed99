# SPDX-License-Identifier: Apache-2.0
"""What a core has that kernels may ask for, by its name or by its architecture's, as compilers write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dimmer.firmware_gen.errors import FirmwareGenError

_WORDS = frozenset({"thumb", "thumb1", "words"})
_WIDE = frozenset({"thumb", "thumb2", "words"})
_DSP = frozenset({"thumb", "thumb2", "dsp", "packed"})
_HELIUM = frozenset({"thumb", "thumb2", "dsp", "mve"})

FEATURES = {
    "cortex-m0": _WORDS,
    "cortex-m0plus": _WORDS,
    "cortex-m1": _WORDS,
    "cortex-m23": _WORDS,
    "cortex-m3": _WIDE,
    "cortex-m4": _DSP,
    "cortex-m7": _DSP,
    "cortex-m33": _DSP,
    "cortex-m35p": _DSP,
    "cortex-m52": _HELIUM,
    "cortex-m55": _HELIUM,
    "cortex-m85": _HELIUM,
    "armv6-m": _WORDS,
    "armv6s-m": _WORDS,
    "armv7-m": _WIDE,
    "armv7e-m": _DSP,
    "armv8-m.base": _WORDS,
    "armv8-m.main": _WIDE,
    "armv8.1-m.main": _WIDE,
}
"""Arm's cores and architectures -> what variants may ask for: instruction sets, "thumb1" where there are no longer
instructions, and "words" where there is none that multiplies narrower values in packs, or "packed" where that is done
best by packing them into one long multiplication.
"""

_EXTENDED = {
    ("dsp", _WIDE): _DSP,
    ("mve", _WIDE): _HELIUM,
    ("mve", _DSP): _HELIUM,
    ("nomve", _HELIUM): _DSP,
    ("nodsp", _HELIUM): _WIDE,
    ("nodsp", _DSP): _WIDE,
}
"""What is put behind a name, and what the core has without it -> what it has with it."""

_RISCV = re.compile(r"rv32(?P<base>[ieg])(?P<letters>[a-z]*)(?P<rest>(_[a-z0-9]+)*)")
_VERSION = re.compile(r"\d+p\d+")


def features_of(core: str) -> frozenset[str]:
    """What a core has; nothing where it is not known, so that it runs the portable kernels.

    An Arm core may have what compilers put behind its name: "cortex-m33+nodsp" and "cortex-m55+nomve" have less,
    "armv8.1-m.main+mve" has more. RV32 is told by its extensions, "rv32imac_zba_zbb"; it needs M.

    Example:
        >>> sorted(features_of("cortex-m85"))
        ['dsp', 'mve', 'thumb', 'thumb2']
        >>> sorted(features_of("rv32imac_zba_zbb"))
        ['riscv', 'words']
    """
    name, *extensions = core.lower().split("+")
    features = FEATURES.get(name.removesuffix(".small-multiply"))
    if features is None:
        return _riscv(name)
    for extension in extensions:
        # "nomve.fp" leaves the integers.
        if extension != "nomve.fp":
            features = _EXTENDED.get((extension.removesuffix(".fp"), features), features)
    return features


def _riscv(name: str) -> frozenset[str]:
    isa = _RISCV.fullmatch(re.sub(_VERSION, "", name))
    if isa is None:
        return frozenset()
    parts = isa["rest"].split("_")
    letters = re.split("[zsx]", isa["letters"])[0]
    multiplies = isa["base"] == "g" or "m" in letters or "m" in parts or "zmmul" in parts
    return frozenset({"riscv", "words"}) if multiplies else frozenset()


@dataclass(frozen=True, slots=True)
class Kind:
    """Cores that run the same tables.

    Attributes:
        what: in words.
        core: one of them, by whose name tables are generated; "portable" of those that need none.
        condition: by which a preprocessor knows one, where no kind before it in `KINDS` is known.
    """

    what: str
    core: str
    condition: str


PORTABLE = "portable"
KINDS = (
    Kind("Arm with Helium", "cortex-m55", "defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)"),
    Kind("Arm with the DSP extension", "cortex-m4", "defined(__ARM_FEATURE_DSP) && defined(__thumb2__)"),
    Kind("Arm Thumb-2", "cortex-m3", "defined(__thumb2__)"),
    Kind("Arm Thumb-1", "cortex-m0plus", "defined(__thumb__)"),
    Kind("RV32 with M", "rv32imc", "defined(__riscv_mul) && __riscv_xlen == 32"),
    Kind("any core", PORTABLE, ""),
)
"""From the most particular: a core runs the tables of the first kind that there are tables for and that it knows."""


def kind_of(core: str) -> Kind:
    """The kind of a core by its name, "portable" for every core.

    Raises:
        FirmwareGenError: nothing is known of the core, or nothing that its compiler would say.
    """
    features = features_of(core)
    found = next((kind for kind in KINDS if features and features_of(kind.core) == features), None)
    if core == PORTABLE:
        return KINDS[-1]
    if found is None:
        known = ", ".join((*FEATURES, "rv32imc and other RV32 with M", PORTABLE))
        raise FirmwareGenError(f"no core is known as {core!r}: take one of {known}")
    return found
