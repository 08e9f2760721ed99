# SPDX-License-Identifier: Apache-2.0
"""The firmware image: what goes into it, compiled, run, measured."""
