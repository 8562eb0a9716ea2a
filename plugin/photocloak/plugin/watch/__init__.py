"""The daemon: watches folders, and puts every photo that settles there through the one funnel."""
