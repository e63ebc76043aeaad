"""What the system does by itself when a rank is lost: the flags of its ``self_heal`` property."""

from itertools import combinations
from typing import Final

FLAGS: Final = ("exclude", "pool_exclude", "pool_rebuild")
"""Take lost ranks out of the system, out of its pools, and let the pools rebuild what was on them."""
DEFAULT: Final = ";".join(FLAGS)
VALUES: Final = frozenset({"none"}) | {
    ";".join(chosen) for size in range(1, len(FLAGS) + 1) for chosen in combinations(FLAGS, size)
}
"""Every policy there is."""


def disabled(policy: str) -> tuple[str, ...]:
    """Return the flags that a policy leaves out.

    >>> disabled("exclude;pool_rebuild"), disabled("none")
    (('pool_exclude',), ('exclude', 'pool_exclude', 'pool_rebuild'))
    """
    return tuple(flag for flag in FLAGS if flag not in policy.split(";"))
