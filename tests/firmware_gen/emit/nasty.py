# SPDX-License-Identifier: Apache-2.0
"""Names that a file may have, and that must not reach the C as they are."""

from __future__ import annotations

NASTY = ("*/ int x; /*", "a\nb", 'quote" and \\', "??/", "ünïcode ⚡", "x" * 3000, "", "\x00\x01", "${HOME}", "%s%n")
