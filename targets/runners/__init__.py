# SPDX-License-Identifier: Apache-2.0
"""Ways to run a firmware, or to put it onto a board."""
