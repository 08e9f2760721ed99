# SPDX-License-Identifier: Apache-2.0
"""Modes through TVM: lowering, schedules, modules, tuning."""
