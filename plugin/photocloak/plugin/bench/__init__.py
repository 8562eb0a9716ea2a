"""How fast photocloak is on this machine, each ratio measured within one run."""
