"""Data sets: toy manifolds that are drawn here (:mod:`lil.datasets.toy`), images that are read (``lil.datasets.images``)."""
