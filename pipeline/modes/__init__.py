# SPDX-License-Identifier: Apache-2.0
"""The mode: bits of every block, and what they cost. No torch."""
