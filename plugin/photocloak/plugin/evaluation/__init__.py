"""The instrument that measures protection: what a stranger's recogniser makes of cloaked photos.

`photocloak evaluate`; the protocol is described in `docs/lab/protection.md`. Everything is measured
on files that the product itself wrote.
"""
