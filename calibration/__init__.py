# SPDX-License-Identifier: Apache-2.0
"""Calibration as a library: it knows tensors and modules, not files, recipes or targets."""
