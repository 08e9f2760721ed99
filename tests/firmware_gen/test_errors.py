# SPDX-License-Identifier: Apache-2.0
"""Messages about files that may be damaged are one line that can be printed."""

from __future__ import annotations

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import MAX_MESSAGE, FirmwareGenError


def test_a_message_is_one_line_of_what_can_be_printed() -> None:
    assert str(FirmwareGenError("layer a\nb\x00\x1b[31m of ünï.tflite")) == "layer a b??[31m of ünï.tflite"


def test_a_message_with_a_long_name_keeps_both_ends() -> None:
    message = str(FirmwareGenError(f"net.tflite: {'x' * 5000} is not supported; train with RELU6"))
    assert message.startswith("net.tflite: xxx")
    assert message.endswith("xxx is not supported; train with RELU6")
    assert " ... " in message
    assert len(message) <= MAX_MESSAGE + len(" ... ")
    assert str(FirmwareGenError("x" * MAX_MESSAGE)) == "x" * MAX_MESSAGE


def test_whoever_catches_dimmers_errors_catches_it() -> None:
    assert isinstance(FirmwareGenError("x"), DimmerError)
