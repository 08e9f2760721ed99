# SPDX-License-Identifier: Apache-2.0
"""The recipe: `models/<name>/recipe.toml`, read, checked and frozen."""
