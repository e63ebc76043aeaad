"""Ports: free, or held by the program that is looked at."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.doctor.view import View

TOPIC = Topic("ports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A port that a program will listen on."""

    what: str
    key: str
    """What sets it in the configuration."""
    address: str
    port: int


def check(view: View, wanted: Sequence[Wanted], ours: Container[int] = ()) -> Iterator[Finding]:
    """All should be free, unless the processes ``ours`` hold them, and wanted for one thing.

    Those of one key, the engines', may be the same: they are of different interfaces, or the configuration is refused.
    """
    taken: dict[int, Wanted] = {}
    for one in wanted:
        first = taken.setdefault(one.port, one)
        if first.key == one.key:
            yield _check(view, one, ours)
        else:
            found = f"port {one.port} is wanted by {first.what}, too ({first.key})"
            yield TOPIC.problem(one.what, found, f"set {one.key} to another port")


def _check(view: View, wanted: Wanted, ours: Container[int]) -> Finding:
    shown = f"port {wanted.port}" + ("" if wanted.address == "0.0.0.0" else f" of {wanted.address}")
    blocking = view.blocker(wanted.address, wanted.port)
    if blocking is None:
        return TOPIC.ok(wanted.what, f"{shown} is free")
    holder = view.holders.get(blocking.inode)
    if holder is None:
        remedy = f"see who it is as root: ss -ltnp sport = :{wanted.port}; stop it, or set {wanted.key}"
        return TOPIC.problem(wanted.what, f"{shown} is held by another user's process", remedy)
    if holder.pid in ours:
        return TOPIC.ok(wanted.what, f"{shown} is served, by {holder.program} (pid {holder.pid})")
    return TOPIC.problem(
        wanted.what,
        f"{shown} is held by {holder.program} (pid {holder.pid})",
        f"stop that process, or set {wanted.key} to another port",
    )
