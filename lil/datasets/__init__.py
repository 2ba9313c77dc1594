"""Data sets: toy manifolds, drawn in :mod:`lil.datasets.toy`, and images, read in :mod:`lil.datasets.images`."""
