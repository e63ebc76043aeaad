"""What the system decides: pure rules, and the service that applies them to the store."""
