"""The steps of many faces at once, all on the device of their recognisers: two graphs more.

`optimisation` and `edits` do the same with NumPy, one face at a time; the gradients are derived
here (`autodiff`) and written by hand there. tests/engine/test_device.py holds the two together.
"""
