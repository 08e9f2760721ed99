# SPDX-License-Identifier: Apache-2.0
"""Every kernel described once: its record, what it computes, the ranges of its arguments and its scratch.

`dimmer.firmware_gen.kernel_header` writes the C headers from it; the generator packs records by it.
"""
