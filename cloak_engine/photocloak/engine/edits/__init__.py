"""Edits of a face, as a retoucher makes them: each a module with its parameters and its bound."""
