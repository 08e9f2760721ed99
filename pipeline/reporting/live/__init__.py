# SPDX-License-Identifier: Apache-2.0
"""A device that runs: what it says of itself, as it comes."""
