"""Training of networks and gates."""
