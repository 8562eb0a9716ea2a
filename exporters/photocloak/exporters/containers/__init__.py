"""Walkers: what a file is made of, byte for byte, without decoding a picture."""
