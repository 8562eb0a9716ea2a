"""How much of an NVIDIA card the recognisers' steps use, beside PyTorch on the same card."""
