# SPDX-License-Identifier: Apache-2.0
"""Limits that training keeps so that all modes share their weights."""

from __future__ import annotations

# Folding a norm into its convolution must only scale channels, never flip or kill them, so that all modes share one
# int8 weight: every gamma stays positive.
MIN_GAMMA = 0.02
