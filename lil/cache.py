"""The folder for files that this project can make or fetch again."""

from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Return the user's cache folder of this project: on Linux ``lil`` in $XDG_CACHE_HOME or ~/.cache."""
    return platformdirs.user_cache_path("lil", appauthor=False)
