"""Pixels and a source file to a file: read photos, encode them, scan, publish."""
