"""The `justera` command."""
