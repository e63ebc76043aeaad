"""What this process may use, as the system has it."""

import resource


def allow_many_files() -> None:
    """Raise the limit of open files to what is allowed: every peer that stays in touch takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
