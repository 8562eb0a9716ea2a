"""Who was seen, and for whom each is to be taken. Features are biometric data."""
