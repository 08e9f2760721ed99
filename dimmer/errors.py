# SPDX-License-Identifier: Apache-2.0
"""The root of all errors that a person can act on."""

from __future__ import annotations


class DimmerError(Exception):
    """A failure that the user can act on.

    The message is a single line: what was wrong, where (file, tensor, key), and what to do.
    Command lines print it to stderr and exit with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
