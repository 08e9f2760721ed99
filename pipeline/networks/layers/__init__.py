"""What the families are made of: blocks, norms, quantisers."""
