# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas (draft 2020-12) of recipe.toml, target.toml and dimmer.toml, made from what reads these files.

The files beside this one are what `dimmer schema` writes; editors find them by a file's first line, ``#:schema PATH``.
"""
