"""The commands, one module each. Heavy imports happen inside the functions."""
