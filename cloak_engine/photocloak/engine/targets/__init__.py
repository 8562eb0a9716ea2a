"""Identities that nobody has, for whom a cloaked face is to be taken."""
