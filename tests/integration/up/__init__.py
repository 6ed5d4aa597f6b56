"""`justera up` as the process that people start, kill and stop."""
