"""Where faces are, and where the parts of a face are."""
