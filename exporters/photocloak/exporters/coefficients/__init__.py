"""JPEG's own coefficients, read and written without loss (ITU-T T.81).

No library that installs from a wheel does this for hostile files: the one binding of libjpeg that
there is ends the process on a damaged one. Python walks the Huffman codes, which is inherently
serial; everything else is NumPy.
"""
