"""Executable companion to the paper on locally isometric layers (LILs)."""
