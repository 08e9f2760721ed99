# SPDX-License-Identifier: Apache-2.0
"""What lies where: constants in flash, shared between modes, and buffers in one arena."""
