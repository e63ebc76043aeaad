"""Between the protocol's messages and the model's values."""
