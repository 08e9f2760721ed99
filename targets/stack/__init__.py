# SPDX-License-Identifier: Apache-2.0
"""How much stack a linked program can take, proven from its own machine code: frames, calls, call graph."""
