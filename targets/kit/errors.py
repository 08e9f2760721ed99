"""The exception of this package."""


class TargetError(Exception):
    """A one-line message: what is missing or failed on a target, and what to do."""
