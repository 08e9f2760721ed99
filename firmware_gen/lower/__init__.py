# SPDX-License-Identifier: Apache-2.0
"""Operators become steps: a kernel each, with the record that it reads."""
