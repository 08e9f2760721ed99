# SPDX-License-Identifier: Apache-2.0
"""The firmware against the TFLite interpreter, bit for bit."""
