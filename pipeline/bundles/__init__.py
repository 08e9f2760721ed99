# SPDX-License-Identifier: Apache-2.0
"""Bundles for Linux boards: program, library, weights, self-test."""
