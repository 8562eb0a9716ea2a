"""Recognisers: what they are (manifests), their weights, and how they run."""
