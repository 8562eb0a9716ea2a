"""The way of one photo: detected, decided on, cloaked, verified, published."""
