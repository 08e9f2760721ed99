"""Projects: what `dimmer init` asks, and the files that it writes."""
