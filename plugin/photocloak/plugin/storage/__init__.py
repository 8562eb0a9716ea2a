"""Files and folders: what is found in them, what was written, the database."""
