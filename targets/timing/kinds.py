# SPDX-License-Identifier: Apache-2.0
"""Thumb instructions by what the manuals' tables of cycles tell apart."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

from dimmer.targets.timing.code import PC, Instruction
from dimmer.targets.timing.errors import NotModelledError


class Kind(Enum):
    """A group of instructions with one entry in a table of cycles."""

    DATA = auto()
    MULTIPLY = auto()
    MULTIPLY_ADD = auto()
    MULTIPLY_LONG = auto()
    MULTIPLY_ADD_LONG = auto()
    MULTIPLY_DSP = auto()
    DIVIDE = auto()
    IF_THEN = auto()
    LOAD = auto()
    LOAD_PC = auto()
    LOAD_TWO = auto()
    LOAD_MANY = auto()
    LOAD_MANY_PC = auto()
    STORE = auto()
    STORE_REGISTER_OFFSET = auto()
    STORE_TWO = auto()
    STORE_MANY = auto()
    BRANCH = auto()
    CALL = auto()
    BRANCH_REGISTER = auto()
    TABLE_BRANCH = auto()
    BARRIER = auto()
    INSTRUCTION_BARRIER = auto()
    SPECIAL_REGISTER = auto()
    FLOAT = auto()
    FLOAT_MULTIPLY_ADD = auto()
    FLOAT_DIVIDE = auto()
    FLOAT_MOVE_TWO = auto()
    FLOAT_LOAD = auto()
    FLOAT_LOAD_DOUBLE = auto()
    FLOAT_LOAD_MANY = auto()
    FLOAT_STORE = auto()
    FLOAT_STORE_DOUBLE = auto()
    FLOAT_STORE_MANY = auto()


ADDRESSED = frozenset(
    (
        *(Kind.LOAD, Kind.LOAD_PC, Kind.LOAD_TWO, Kind.LOAD_MANY, Kind.LOAD_MANY_PC, Kind.STORE),
        *(Kind.STORE_REGISTER_OFFSET, Kind.STORE_TWO, Kind.STORE_MANY, Kind.FLOAT_LOAD, Kind.FLOAT_LOAD_DOUBLE),
        *(Kind.FLOAT_LOAD_MANY, Kind.FLOAT_STORE, Kind.FLOAT_STORE_DOUBLE, Kind.FLOAT_STORE_MANY),
    )
)
"""Loads and stores."""

_CONDITIONS = ("eq", "ne", "cs", "cc", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
_WORDS: dict[Kind, str] = {
    Kind.DATA: """
        adc add addw adr and asr bfc bfi bic clz cmn cmp eor lsl lsr mov movt movw mvn neg nop orn orr rbit rev rev16
        revsh ror rrx rsb sbc sbfx sel ssat ssat16 sub subw sxtab sxtab16 sxtah sxtb sxtb16 sxth teq tst ubfx usad8
        usada8 usat usat16 uxtab uxtab16 uxtah uxtb uxtb16 uxth pkhbt pkhtb qadd qdadd qsub qdsub cpsid cpsie sev yield
    """,
    Kind.MULTIPLY: "mul",
    Kind.MULTIPLY_ADD: "mla mls",
    Kind.MULTIPLY_LONG: "smull umull",
    Kind.MULTIPLY_ADD_LONG: "smlal umlal umaal",
    Kind.DIVIDE: "sdiv udiv",
    Kind.LOAD: "ldr ldrb ldrh ldrsb ldrsh ldrex ldrexb ldrexh lda ldab ldah",
    Kind.LOAD_TWO: "ldrd",
    Kind.LOAD_MANY: "ldm ldmia ldmdb pop",
    Kind.STORE: "str strb strh strex strexb strexh stl stlb stlh",
    Kind.STORE_TWO: "strd",
    Kind.STORE_MANY: "stm stmia stmdb push",
    Kind.BRANCH: "b cbz cbnz",
    Kind.CALL: "bl",
    Kind.BRANCH_REGISTER: "bx blx",
    Kind.TABLE_BRANCH: "tbb tbh",
    Kind.BARRIER: "dmb dsb",
    Kind.INSTRUCTION_BARRIER: "isb",
    Kind.SPECIAL_REGISTER: "mrs msr",
    Kind.FLOAT: "vabs vadd vcmp vcmpe vcvt vcvtr vmov vmrs vmsr vmul vneg vnmul vsub",
    Kind.FLOAT_MULTIPLY_ADD: "vmla vmls vnmla vnmls vfma vfms vfnma vfnms",
    Kind.FLOAT_DIVIDE: "vdiv vsqrt",
    Kind.FLOAT_LOAD: "vldr",
    Kind.FLOAT_LOAD_MANY: "vldm vldmia vldmdb vpop",
    Kind.FLOAT_STORE: "vstr",
    Kind.FLOAT_STORE_MANY: "vstm vstmia vstmdb vpush",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_PARALLEL = re.compile(r"(?:s|u|q|uq|sh|uh)(?:add16|add8|sub16|sub8|asx|sax)")
_DSP = re.compile(
    r"smla[bt][bt]|smul[bt][bt]|smlal[bt][bt]|sm[lu][as]dx?|sml[as]ldx?|smm(?:ul|la|ls)r?|sm(?:ul|la)w[bt]"
)
_IF_THEN = re.compile(r"it[te]{0,3}")
_BRANCH = re.compile(f"b({'|'.join(_CONDITIONS)})")
_SIDE = {Kind.LOAD: Kind.LOAD_PC, Kind.LOAD_MANY: Kind.LOAD_MANY_PC, Kind.DATA: Kind.BRANCH_REGISTER}
"""What an instruction is that writes the program counter."""


@lru_cache(maxsize=1 << 14)
def kind_of(instruction: Instruction) -> Kind:
    """The group of an instruction.

    Raises:
        NotModelledError: it is in none.
    """
    name = instruction.mnemonic.partition(".")[0]
    kind = next((found for found in map(_known, _spellings(name)) if found is not None), None)
    if kind is None:
        raise NotModelledError(f"the tables of cycles do not know the instruction {instruction.mnemonic}")
    if kind in _SIDE and PC in (instruction.listed if kind is Kind.LOAD_MANY else instruction.first):
        # A comparison names the program counter first and writes nothing.
        return kind if name.startswith(("cmp", "cmn", "tst", "teq")) else _SIDE[kind]
    if kind is Kind.STORE and instruction.offset_in_register:
        return Kind.STORE_REGISTER_OFFSET
    if kind is Kind.FLOAT and name.startswith("vmov") and instruction.operands.count(",") >= 2:
        return Kind.FLOAT_MOVE_TWO
    if instruction.operands.startswith("d"):
        double = {Kind.FLOAT_LOAD: Kind.FLOAT_LOAD_DOUBLE, Kind.FLOAT_STORE: Kind.FLOAT_STORE_DOUBLE}
        return double.get(kind, kind)
    return kind


def writes(instruction: Instruction) -> frozenset[int]:
    """Numbers of the core's registers that a data-processing instruction or a load of one register writes."""
    kind = kind_of(instruction)
    if kind in (Kind.MULTIPLY_LONG, Kind.MULTIPLY_ADD_LONG):
        return instruction.first_two
    if kind is Kind.DATA and instruction.mnemonic.startswith(("cmp", "cmn", "tst", "teq", "nop")):
        return frozenset()
    if kind is Kind.MULTIPLY_DSP and re.match(r"sml[as]ld|smlal", instruction.mnemonic):
        return instruction.first_two
    if kind in PROCESSING or kind in (Kind.LOAD, Kind.FLOAT):
        return instruction.first
    return frozenset()


_GROUPS = {
    "products": "MULTIPLY MULTIPLY_ADD MULTIPLY_LONG MULTIPLY_ADD_LONG MULTIPLY_DSP FLOAT_MULTIPLY_ADD",
    "loads": "LOAD LOAD_TWO LOAD_MANY FLOAT_LOAD FLOAT_LOAD_DOUBLE FLOAT_LOAD_MANY",
    "stores": "STORE STORE_REGISTER_OFFSET STORE_TWO STORE_MANY FLOAT_STORE FLOAT_STORE_DOUBLE FLOAT_STORE_MANY",
    "branches": "BRANCH CALL BRANCH_REGISTER TABLE_BRANCH LOAD_PC LOAD_MANY_PC IF_THEN",
}
OTHERS, FLASH = "others", "flash"
GROUPS = (*_GROUPS, OTHERS, FLASH)
"""What cycles go to, for people: instructions by what they do, and waiting for the flash."""
_GROUP_OF = {Kind[name]: group for group, names in _GROUPS.items() for name in names.split()}


def group_of(instruction: Instruction) -> str:
    """The one of GROUPS that an instruction belongs to.

    Raises:
        NotModelledError: as `kind_of`.
    """
    return _GROUP_OF.get(kind_of(instruction), OTHERS)


PROCESSING = frozenset(
    (
        *(Kind.DATA, Kind.MULTIPLY, Kind.MULTIPLY_ADD, Kind.MULTIPLY_LONG, Kind.MULTIPLY_ADD_LONG),
        *(Kind.MULTIPLY_DSP, Kind.DIVIDE),
    )
)
"""Data processing: what is computed by these is not at hand for the next instruction's address."""


def _spellings(name: str) -> tuple[str, ...]:
    """A mnemonic with and without the letter that says "sets the flags", and the condition behind it."""
    plain = name.removesuffix("s")
    bare = name[:-2] if name.endswith(_CONDITIONS) else name
    return name, plain, bare, bare.removesuffix("s")


def _known(name: str) -> Kind | None:
    if (kind := _KINDS.get(name)) is not None:
        return kind
    if _BRANCH.fullmatch(name):  # bls is no bl that sets flags
        return Kind.BRANCH
    if _PARALLEL.fullmatch(name):
        return Kind.DATA
    if _IF_THEN.fullmatch(name):
        return Kind.IF_THEN
    return Kind.MULTIPLY_DSP if _DSP.fullmatch(name) else None
