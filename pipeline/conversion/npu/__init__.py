# SPDX-License-Identifier: Apache-2.0
"""Modes compiled for an NPU."""
