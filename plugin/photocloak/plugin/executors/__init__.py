"""Where the work is done: processes of this machine, or those of a cluster."""
