"""Meetings of a body, and the minutes (protokoll) drafted after them."""
