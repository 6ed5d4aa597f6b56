"""What every service builds on: the event contract, messaging, rendering, and the plumbing around them."""
