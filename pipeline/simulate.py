"""Simulation: a battery empties under the policy, the very C that the firmware runs."""

from __future__ import annotations
