# SPDX-License-Identifier: Apache-2.0
"""Clock cycles where the emulator knows none: blocks are counted, and a table of the core's manual times them."""
