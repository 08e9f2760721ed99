# SPDX-License-Identifier: Apache-2.0
"""Kinds of training, one class each."""
