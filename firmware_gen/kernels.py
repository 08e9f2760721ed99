"""The kernels of the C runtime as the generator sees them: the layout of each record, and what a step is made of.

Mirrors `runtime/include/dimmer_kernels.h`; the C side checks the size of every record at compile time,
`tests/firmware_gen/test_kernels.py` the names of the fields.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Buffer:
    """A place in the arena: `offset` bytes into buffer `id` of the block."""

    id: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Scratch:
    """The scratch buffer of the step itself."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of the weights blob, row-major int8[shape]."""

    data: bytes
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Params:
    """A run of int32 values of the params table."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shifts:
    """A run of int8 values of the shifts table."""

    values: tuple[int, ...]


Value = int | float | tuple[int, ...] | Buffer | Scratch | Weights | Params | Shifts


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record; `code` is struct's, `count` is 0 where it is no array, `path` its name in C where that
    differs: fields of records within the record.
    """

    name: str
    code: str
    count: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel.

    Attributes:
        name: the C function; `<name>_t` is its record, `<name>.c` its file.
        fields: of the record, in order.
    """

    name: str
    fields: tuple[Field, ...]

    @property
    def format(self) -> str:
        """The record as a struct format."""
        return "<" + "".join(f"{item.count or ''}{item.code}" for item in self.fields)

    @property
    def record_size(self) -> int:
        """Bytes of a record."""
        return struct.calcsize(self.format)

    def pack(self, values: tuple[int | float | tuple[int, ...], ...]) -> bytes:
        """A record's bytes, little-endian; one value for each field."""
        flat: list[int | float] = []
        for value in values:
            if isinstance(value, tuple):
                flat.extend(value)
            else:
                flat.append(value)
        return struct.pack(self.format, *flat)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a kernel within a block. Steps are equal when they compute the same, whatever their layers are
    called.

    Attributes:
        values: one for each field of the kernel's record.
        reads: buffer ids.
        writes: buffer id.
        in_place: ids of the buffers that the output may overwrite.
        scratch_bytes: size of its scratch buffer.
        macs: multiply-accumulate operations.
        layer: name of the output tensor.
        input_high: no code of its first input is above this, as was proven.
    """

    kernel: Kernel
    values: tuple[Value, ...]
    reads: tuple[int, ...]
    writes: int
    in_place: tuple[int, ...]
    scratch_bytes: int
    macs: int
    layer: str = field(compare=False)
    input_high: int = 127

    @property
    def fields(self) -> dict[str, Value]:
        """The record's values by name."""
        return {item.name: value for item, value in zip(self.kernel.fields, self.values, strict=True)}


def _record(name: str, layout: str) -> Kernel:
    """A kernel from its record's layout: `code:field,field[count]` groups, one a line of the C struct or more."""
    fields = []
    for group in layout.split():
        code, names = group.split(":")
        for item in names.split(","):
            bare, _, count = item.partition("[")
            fields.append(Field(bare, code, int(count.rstrip("]")) if count else 0))
    return Kernel(name, tuple(fields))


def _within(kernel: Kernel, member: str, prefix: str = "") -> tuple[Field, ...]:
    """The fields of a kernel's record as the member `member` of another record."""
    return tuple(
        Field(f"{prefix}{item.name}", item.code, item.count, f"{member}.{item.name}") for item in kernel.fields
    )


def _extended(name: str, base: Kernel, member: str, layout: str) -> Kernel:
    """A kernel whose record begins with another one's, as its member `member`."""
    return Kernel(name, _within(base, member) + _record(name, layout).fields)


def _with_add(name: str, layout: str) -> Kernel:
    """A convolution and the addition of its result to another tensor; names of the latter's fields begin with add_."""
    return Kernel(name, _within(CONV_2D, "conv") + _within(ADD, "add", "add_") + _record(name, layout).fields)


_LIMITS = "activation_min,activation_max"

CONV_2D = _record(
    "dimmer_conv2d_s8",
    "I:input,output,scratch,weights,bias,multipliers,shifts "
    "H:batches,input_h,input_w,input_c,output_h,output_w,output_c,kernel_h,kernel_w "
    "H:stride_h,stride_w,dilation_h,dilation_w,pad_top,pad_left B:weight_bits,slice_channels "
    f"b:input_zero_point,output_zero_point,{_LIMITS}",
)
CONV_2D_DSP = _extended("dimmer_conv2d_s8_dsp", CONV_2D, "conv", "H:group,reserved2")
CONV_2D_PANEL = _extended("dimmer_conv2d_s8_panel", CONV_2D, "conv", "H:group,reserved2")
CONV_2D_PAIRS = Kernel("dimmer_conv2d_s8_pairs", CONV_2D_PANEL.fields)
CONV_2D_WINOGRAD = _extended("dimmer_conv2d_s8_winograd", CONV_2D, "conv", "H:group,strip")
_NARROW = "I:offsets i:entry_multiplier H:{}group,strip,terms b:entry_zero_point,entry_shift"
CONV_2D_NARROW_DSP = _extended("dimmer_conv2d_s8_narrow_dsp", CONV_2D, "conv", _NARROW.format(""))
CONV_2D_F43_DSP = _extended("dimmer_conv2d_s8_f43_dsp", CONV_2D, "conv", "H:group,strip")
CONV_2D_MVE = _extended("dimmer_conv2d_s8_mve", CONV_2D, "conv", "H:group,columns")
_ENTRY_MVE = "i:entry_multiplier H:{}group,columns b:entry_zero_point,entry_shift"
CONV_2D_ENTRY_MVE = _extended("dimmer_conv2d_s8_entry_mve", CONV_2D, "conv", _ENTRY_MVE.format("") + " H:reserved2")
DEPTHWISE_CONV_2D = _record(
    "dimmer_depthwise_conv2d_s8",
    "I:input,output,weights,bias,multipliers,shifts "
    "H:batches,input_h,input_w,input_c,output_h,output_w,depth_multiplier,kernel_h,kernel_w "
    "H:stride_h,stride_w,dilation_h,dilation_w,pad_top,pad_left,reserved "
    f"b:input_zero_point,output_zero_point,{_LIMITS}",
)
DEPTHWISE_CONV_2D_3X3 = _extended("dimmer_depthwise_conv2d_s8_3x3", DEPTHWISE_CONV_2D, "conv", "I:scratch")
DEPTHWISE_CONV_2D_DSP = _extended("dimmer_depthwise_conv2d_s8_dsp", DEPTHWISE_CONV_2D, "conv", "I:scratch")
DEPTHWISE_CONV_2D_MVE = _extended("dimmer_depthwise_conv2d_s8_mve", DEPTHWISE_CONV_2D, "conv", "I:scratch H:group,down")
FULLY_CONNECTED = _record(
    "dimmer_fully_connected_s8",
    f"I:input,output,weights,bias,scales,rows,input_c,output_c b:output_zero_point,{_LIMITS} B:per_channel",
)
FULLY_CONNECTED_FIXED = Kernel("dimmer_fully_connected_s8_fixed", FULLY_CONNECTED.fields)
FULLY_CONNECTED_DSP = _extended("dimmer_fully_connected_s8_dsp", FULLY_CONNECTED, "dense", "I:scratch")
FULLY_CONNECTED_WORDS = Kernel("dimmer_fully_connected_s8_words", FULLY_CONNECTED_DSP.fields)
FULLY_CONNECTED_MVE = Kernel("dimmer_fully_connected_s8_mve", FULLY_CONNECTED.fields)
_SUM = (
    "I:input1,input2,output,dims[4] i:multiplier1,multiplier2,multiplier_output "
    "b:shift1,shift2,shift_output,left_shift "
    f"b:zero_point1,zero_point2,output_zero_point,{_LIMITS} B:broadcast1,broadcast2,input1_blob,input2_blob,reserved[3]"
)
ADD = _record("dimmer_add_s8", _SUM)
ADD_TABLE = _extended("dimmer_add_s8_table", ADD, "add", "I:scratch")
SUB = _record("dimmer_sub_s8", _SUM)
ADD_DSP = _extended("dimmer_add_s8_dsp", ADD, "add", "I:scratch")
ADD_MVE = _extended("dimmer_add_s8_mve", ADD, "add", "I:scratch")
CONV_2D_ADD = _with_add("dimmer_conv2d_add_s8", "H:operand,reserved2")
"""What two steps become where a variant can run them as one; there is no portable kernel."""
CONV_2D_ADD_DSP = _with_add("dimmer_conv2d_add_s8_dsp", "H:operand,group")
CONV_2D_ADD_WINOGRAD = _with_add("dimmer_conv2d_add_s8_winograd", "H:operand,group,strip,reserved2")
CONV_2D_ADD_F43_DSP = _with_add("dimmer_conv2d_add_s8_f43_dsp", "H:operand,group,strip,reserved2")
CONV_2D_ADD_MVE = _with_add("dimmer_conv2d_add_s8_mve", "H:operand,group,columns,reserved2")
CONV_2D_ADD_ENTRY_MVE = _with_add("dimmer_conv2d_add_s8_entry_mve", _ENTRY_MVE.format("operand,"))
CONV_2D_ADD_NARROW_DSP = _with_add("dimmer_conv2d_add_s8_narrow_dsp", _NARROW.format("operand,") + " H:reserved2")
_ENTRY = "i:entry_multiplier b:entry_zero_point,entry_shift H:{}reserved3"
ENTRY_CONV_2D = _extended("dimmer_entry_conv2d_s8", CONV_2D, "conv", _ENTRY.format(""))
ENTRY_CONV_2D_ADD = _with_add("dimmer_entry_conv2d_add_s8", _ENTRY.format("operand,"))
"""The same with the QUANTIZE before the convolution."""
MUL = _record(
    "dimmer_mul_s8",
    f"I:input1,input2,output,dims[4] i:multiplier b:shift,zero_point1,zero_point2,output_zero_point,{_LIMITS} "
    "B:broadcast1,broadcast2,input1_blob,input2_blob,reserved[2]",
)
PAD = _record("dimmer_pad_s8", "I:input,output,dims[4] H:before[4],after[4] b:value B:reserved[3]")
MEAN = _record(
    "dimmer_mean_s8",
    "I:input,output,outer,reduce1,inner,reduce2 i:multiplier b:shift,input_zero_point,output_zero_point B:reserved",
)
MEAN_MVE = Kernel("dimmer_mean_s8_mve", MEAN.fields)
_POOL = (
    "I:input,output H:batches,input_h,input_w,channels,output_h,output_w,window_h,window_w,stride_h,stride_w "
    f"H:pad_top,pad_left b:{_LIMITS} B:reserved[2]"
)
AVERAGE_POOL_2D = _record("dimmer_average_pool_2d_s8", _POOL)
AVERAGE_POOL_2D_MVE = Kernel("dimmer_average_pool_2d_s8_mve", AVERAGE_POOL_2D.fields)
MAX_POOL_2D = _record("dimmer_max_pool_2d_s8", _POOL)
SOFTMAX = _record("dimmer_softmax_s8", "I:input,output,rows,depth i:multiplier,diff_min b:left_shift B:reserved[3]")
LUT = _record("dimmer_lut_s8", "I:input,output,elements,table")
REQUANTIZE = _record(
    "dimmer_requantize_s8",
    f"I:input,output,elements i:multiplier h:input_zero_point,output_zero_point,{_LIMITS} "
    "b:shift B:input_unsigned,output_unsigned,reserved",
)
REQUANTIZE_TABLE = _extended("dimmer_requantize_s8_table", REQUANTIZE, "requantize", "I:scratch")
QUANTIZE_F32 = _record("dimmer_quantize_f32_s8", "I:input,output,elements f:scale b:zero_point B:reserved[3]")
DEQUANTIZE_F32 = _record("dimmer_dequantize_s8_f32", "I:input,output,elements f:scale b:zero_point B:reserved[3]")
COPY = _record("dimmer_copy_s8", "I:input,output,rows,row_bytes,input_stride,output_stride B:input_blob,reserved[3]")
TRANSPOSE = _record("dimmer_transpose_s8", "I:input,output,dims[4],strides[4]")

KERNELS = (
    CONV_2D,
    CONV_2D_DSP,
    CONV_2D_PANEL,
    CONV_2D_PAIRS,
    CONV_2D_WINOGRAD,
    CONV_2D_F43_DSP,
    CONV_2D_NARROW_DSP,
    CONV_2D_ADD_DSP,
    CONV_2D_ADD_F43_DSP,
    CONV_2D_ADD_NARROW_DSP,
    CONV_2D_ADD_WINOGRAD,
    CONV_2D_MVE,
    CONV_2D_ADD_MVE,
    CONV_2D_ENTRY_MVE,
    CONV_2D_ADD_ENTRY_MVE,
    DEPTHWISE_CONV_2D_DSP,
    DEPTHWISE_CONV_2D_MVE,
    ADD_DSP,
    ADD_MVE,
    DEPTHWISE_CONV_2D,
    DEPTHWISE_CONV_2D_3X3,
    FULLY_CONNECTED,
    FULLY_CONNECTED_FIXED,
    FULLY_CONNECTED_DSP,
    FULLY_CONNECTED_WORDS,
    FULLY_CONNECTED_MVE,
    ADD,
    ADD_TABLE,
    SUB,
    MUL,
    PAD,
    MEAN,
    MEAN_MVE,
    AVERAGE_POOL_2D,
    AVERAGE_POOL_2D_MVE,
    MAX_POOL_2D,
    SOFTMAX,
    LUT,
    REQUANTIZE,
    REQUANTIZE_TABLE,
    QUANTIZE_F32,
    DEQUANTIZE_F32,
    COPY,
    TRANSPOSE,
)


def step(
    kernel: Kernel,
    layer: str,
    macs: int = 0,
    scratch_bytes: int = 0,
    in_place: tuple[int, ...] = (),
    input_high: int = 127,
    **values: Value,
) -> Step:
    """A step from its record's fields by name; `reserved` fields are zero, and what it reads and writes follows from
    its buffers.
    """
    record: list[Value] = []
    reads: list[int] = []
    writes = -1
    for item in kernel.fields:
        value: Value = (0,) * item.count if item.count else 0
        if not item.name.startswith("reserved"):
            value = values.pop(item.name)
        record.append(value)
        if isinstance(value, Buffer):
            if item.name == "output":
                writes = value.id
            else:
                reads.append(value.id)
    if values or writes < 0:
        raise TypeError(f"{kernel.name} has no field {', '.join(values) or 'output'}")
    read = tuple(dict.fromkeys(reads))
    return Step(kernel, tuple(record), read, writes, in_place, scratch_bytes, macs, layer, input_high)


def copy(source: Buffer | Weights, output: Buffer, size: int, layer: str) -> Step:
    """A step that copies `size` bytes."""
    return step(
        COPY,
        layer,
        input=source,
        output=output,
        rows=1,
        row_bytes=size,
        input_stride=size,
        output_stride=size,
        input_blob=int(isinstance(source, Weights)),
    )
