"""The mode: bits of every block, and what they cost. No torch."""
