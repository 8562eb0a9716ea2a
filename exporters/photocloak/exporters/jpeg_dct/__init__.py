"""JPEG's own coefficients, read and written without loss (ITU-T T.81).

No library that installs from a wheel does this for hostile files: the one binding of libjpeg that
there is ends the process on a damaged one. Of a sequential file only where the blocks begin is
found, and those that change are read; small ones and progressive ones Python walks code by code.
"""
