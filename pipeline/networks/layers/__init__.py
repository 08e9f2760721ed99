# SPDX-License-Identifier: Apache-2.0
"""What the families are made of: blocks, norms, quantisers."""
