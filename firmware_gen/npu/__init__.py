# SPDX-License-Identifier: Apache-2.0
"""Ethos-U: command streams of several modes relinked onto one blob, and the C that carries them."""
