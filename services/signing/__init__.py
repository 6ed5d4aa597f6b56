"""Agreements: who signs in what order, their pages and their history."""
