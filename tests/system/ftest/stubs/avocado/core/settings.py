"""Settings of a test run; utilities that are called outside of one find none."""

settings: dict[str, object] = {}
