# SPDX-License-Identifier: Apache-2.0
"""Recordings one after the other, as a device hears them: detectors tuned on them, boards compared."""
