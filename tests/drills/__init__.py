"""Drills: parts of a running installation are killed, paused, filled up and replaced while agreements run."""
