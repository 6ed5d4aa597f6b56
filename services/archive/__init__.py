"""The sealed copy, its verification, and the journal of every event."""
