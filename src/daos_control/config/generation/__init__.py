"""``config generate``: from what a scan found on a host to a configuration of its server, with the reasons.

``generate`` is pure: hardware and wishes in, a ``ServerConfig`` and a ``Reason`` for each of its choices out. It
chooses as DAOS 2.8 does. ``annotated`` puts the reasons beside the values, in the file itself.
"""

from daos_control.config.generation.commentary import annotated, told
from daos_control.config.generation.generate import generate
from daos_control.config.generation.terms import (
    ETHERNET,
    INFINIBAND,
    CannotGenerate,
    Generated,
    Hardware,
    Interface,
    Pmem,
    Reason,
    Ssd,
    Wishes,
)

__all__ = [
    "ETHERNET",
    "INFINIBAND",
    "CannotGenerate",
    "Generated",
    "Hardware",
    "Interface",
    "Pmem",
    "Reason",
    "Ssd",
    "Wishes",
    "annotated",
    "generate",
    "told",
]
