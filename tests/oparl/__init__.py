"""A stranger's view of our open data: what OParl 1.1 says of objects, and a client that follows addresses alone."""
