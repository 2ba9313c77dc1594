"""Executable companion to the paper on locally isometric layers (LILs)."""

import os

# Before torch is loaded: its idle threads must not keep from the cores those of lil.isometry_kernel.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
