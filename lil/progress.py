"""How long work says where it is: through a callback, so that whoever starts it decides what to show."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""


def silent(label: str, done: int, total: int) -> None:
    """Show nothing: the default everywhere."""
