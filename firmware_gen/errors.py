"""The one exception that this package raises about its input."""


class FirmwareGenError(Exception):
    """What is wrong with a model file, where, and what to do about it, in one line."""
