"""Sub-networks of a trained network: candidates, norms, ranges, verdicts."""
