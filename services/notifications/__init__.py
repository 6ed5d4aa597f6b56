"""E-mail out, delivery reports in."""
