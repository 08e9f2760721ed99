"""What a battery does under a policy."""
