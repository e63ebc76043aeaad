"""Generated from proto/; change it there."""
