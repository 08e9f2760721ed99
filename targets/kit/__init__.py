# SPDX-License-Identifier: Apache-2.0
"""What a target is made of: its TOML file, its compiler, its errors."""
