"""Whether this machine's clock is right, as far as the kernel and the programs that set it tell."""

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from daos_control.host.processes import Process

DAEMONS: Final = ("chronyd", "ntpd", "ntpsec", "openntpd", "ptp4l", "phc2sys", "systemd-timesyncd")
"""Programs that keep a clock right."""

_UNSYNCHRONISED: Final = 0x40
_ERROR: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelClock:
    """What the kernel knows about its clock."""

    is_synchronised: bool
    """Whether a program has said lately that it keeps it right."""
    most_error_s: float
    """How far from the truth it may be at most, by what that program said."""


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


def kernel_clock() -> KernelClock:
    """Ask the kernel, which changes nothing. Raises OSError if it refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    timex = _Timex()
    state = libc.adjtimex(ctypes.byref(timex))
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return KernelClock(
        is_synchronised=state != _ERROR and not timex.status & _UNSYNCHRONISED, most_error_s=timex.maxerror / 1e6
    )


def time_daemons(running: Iterable[Process]) -> tuple[str, ...]:
    """Return the programs among these that keep a clock right."""
    return tuple(sorted({one.program for one in running if one.program in DAEMONS}))
