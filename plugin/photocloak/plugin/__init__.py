"""The program: command line, settings, pipeline, people."""
