"""Where a clean face or a name survives in a file: finding it, replacing it, taking it out."""
