"""What is under `tests/integration` needs servers, a browser or files; what does not, belongs in `tests/unit`."""
