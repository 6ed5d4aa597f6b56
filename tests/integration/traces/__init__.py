"""Traces: what is in them, what must not be, and that a real collector takes them."""
