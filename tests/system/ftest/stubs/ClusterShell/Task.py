"""Commands on other nodes: there are none."""

from typing import NoReturn


def task_self() -> NoReturn:
    """Refuse: what these tests call needs no other node."""
    raise NotImplementedError("nothing of this runs commands on other nodes")
