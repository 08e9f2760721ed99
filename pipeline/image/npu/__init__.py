# SPDX-License-Identifier: Apache-2.0
"""The firmware of a target with an NPU."""
