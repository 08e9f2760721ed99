# SPDX-License-Identifier: Apache-2.0
"""What boards draw from their supply: a file of constants for each, with sources and uncertainties."""
