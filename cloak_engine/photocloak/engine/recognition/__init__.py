"""What recognisers say of a face, and what a stranger makes of many."""
