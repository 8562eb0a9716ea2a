"""What the numbers of a file mean as colours, and conversions from and to sRGB."""
