# SPDX-License-Identifier: Apache-2.0
"""Experiments: tables of trainings, arms x seeds, and what they say."""
