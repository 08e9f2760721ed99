"""The one exception that a stage shows to the person who started it."""


class DimmerError(Exception):
    """A failure that the user can act on.

    The message is a single line: what was wrong, where (file, tensor, key), and what to do.
    Command lines print it to stderr and exit with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
