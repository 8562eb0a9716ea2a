"""Metadata beside the picture: read, kept as a policy says, written anew."""
