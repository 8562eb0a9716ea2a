"""Pixels to pixels: find faces, cloak them, measure what is left."""
