# SPDX-License-Identifier: Apache-2.0
"""Ethos-U55 and U65 as functions: what a command stream computes, and whether that is what TFLite does."""
