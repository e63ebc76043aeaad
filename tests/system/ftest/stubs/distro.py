"""Which Linux this is; it makes no difference."""


def id() -> str:  # noqa: A001 - its name in the package
    """Return the distribution's short name."""
    return "linux"
