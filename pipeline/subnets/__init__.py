# SPDX-License-Identifier: Apache-2.0
"""Sub-networks of a trained network: candidates, norms, ranges, verdicts."""
