# SPDX-License-Identifier: Apache-2.0
"""Gates that choose each block's bits for the input at hand."""
