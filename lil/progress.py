"""Progress of work, told through a callback, so that the caller decides what to show and how often."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, the number of steps done, and the number of all steps."""


def silent(label: str, done: int, total: int) -> None:
    """Show nothing: the default everywhere."""
