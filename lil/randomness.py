"""Seeds made from seeds: one number names an experiment's member, and each of its draws gets a stream of its own."""

from __future__ import annotations

import numpy as np


def derived_seed(seed: int, *stream: int) -> int:
    """Return a seed for one of the streams of ``seed`` (≥ 0); different streams are independent of each other.

    numpy's SeedSequence mixes the numbers, so that neither neighbouring seeds nor neighbouring streams are alike.
    """
    if seed < 0:
        raise ValueError(f"seeds must be ≥ 0, not {seed}.")
    return int(np.random.SeedSequence((seed, *stream)).generate_state(1, np.uint64)[0] >> np.uint64(1))
