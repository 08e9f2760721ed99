# SPDX-License-Identifier: Apache-2.0
"""Fleets of devices that live under policies: what each policy is worth, with the C that is flashed."""
