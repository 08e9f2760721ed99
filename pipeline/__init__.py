# SPDX-License-Identifier: Apache-2.0
"""Dimmer's stages, in the order in which data flows; each runs as ``python -m pipeline.<stage>``."""
