"""Ways to run a firmware, or to put it onto a board."""
