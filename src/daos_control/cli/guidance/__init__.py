"""What a program tells about its own commands: to people who read, and to shells that complete."""
