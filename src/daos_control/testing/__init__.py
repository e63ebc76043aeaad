"""Shipped fakes, as inconvenient as what they stand for; for our tests and for yours."""
