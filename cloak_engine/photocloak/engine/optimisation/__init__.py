"""Step 2 of the method: how a cloak is found, and against which recognisers."""
