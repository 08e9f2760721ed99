"""The exception of this library."""


class CalibrationError(Exception):
    """A one-line message: what is wrong with the tensors that were given, and what to do."""
