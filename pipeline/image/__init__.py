"""The firmware image: what goes into it, compiled, run, measured."""
