# SPDX-License-Identifier: Apache-2.0
"""A model as a library for somebody's project: one list of files, and what each build system wants beside it."""
