"""The four services of Justera, the `justera` command, and the all-in-one process."""
