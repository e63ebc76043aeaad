"""How the system lies in the store: one key for each member, pool, attribute and fault domain, readable JSON in each.

============================== =====================================================================
``system/map``                 map version and next free rank, rewritten by every decision on members
``system/member/<rank>``       a member, and its node number in the fault-domain tree
``system/domain/<path>``       a fault domain's node number
``system/pool/<uuid>``         a pool's record
``system/remains/<uuid>``      ranks that may hold something of a pool that was destroyed without them
``system/attr/<key>``          an attribute, property or note
``system/check/finding/<seq>`` a finding of the checker, by its number in hexadecimal
``system/check/policies``      what is to become of findings, by class
``system/check/last-policies`` the same, as it was for the last check
============================== =====================================================================

Beside it lies the journal, ``journal/<number>``; see ``mgmt/journal.py``.

``writes`` is the difference of two systems, so that rules need not know any of this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import compress
from operator import is_not
from typing import Final, TypeVar

import msgspec

from daos_control.base.growing import as_dict
from daos_control.mgmt.system import FIRST_FREE_RANK, System
from daos_control.model.checker import Action, CheckRecords, Finding, Inconsistency, Policies
from daos_control.model.fault_domain import ROOT_ID, FaultDomain, FaultTree, Path
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState
from daos_control.store.api import Snapshot, StoreUnavailable

ROOT: Final = "system/"
MAP: Final = f"{ROOT}map"
_MEMBER: Final = f"{ROOT}member/"
_DOMAIN: Final = f"{ROOT}domain/"
_POOL: Final = f"{ROOT}pool/"
_REMAINS: Final = f"{ROOT}remains/"
_ATTRIBUTE: Final = f"{ROOT}attr/"
_CHECK: Final = f"{ROOT}check/"
_FINDING: Final = f"{_CHECK}finding/"
_POLICIES: Final = f"{_CHECK}policies"
_LAST_POLICIES: Final = f"{_CHECK}last-policies"

Key = TypeVar("Key")


class _Map(msgspec.Struct, frozen=True):
    map_version: int = 0
    next_rank: int = FIRST_FREE_RANK


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    rank: int
    uuid: str
    addr: str
    state: MemberState
    fault_domain: str
    node: int
    fabric_uri: str
    fabric_contexts: int = 0
    secondary_fabric_uris: tuple[str, ...] = ()
    secondary_fabric_contexts: tuple[int, ...] = ()
    incarnation: int = 0
    info: str = ""
    last_update: datetime


class _Pool(msgspec.Struct, frozen=True, kw_only=True):
    uuid: str
    label: str
    state: PoolState
    replicas: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()
    tier_bytes: tuple[int, ...] = ()
    mem_ratio: float = 0.0
    last_update: datetime


def writes(old: System, new: System) -> dict[str, bytes | None]:
    """Return what to write so that the store goes from ``old`` to ``new``."""
    changes: dict[str, bytes | None] = {}
    if (old.map_version, old.next_rank) != (new.map_version, new.next_rank):
        changes[MAP] = map_to_json(new.map_version, new.next_rank)
    if old.members is not new.members or old.tree is not new.tree:
        changes |= _member_writes(old, new)
    if old.pools is not new.pools:
        changes |= {f"{_POOL}{uuid}": None for uuid in old.pools.keys() - new.pools.keys()}
        changes |= {f"{_POOL}{uuid}": _pool_to_json(new.pools[uuid]) for uuid in _changed(old.pools, new.pools)}
    if old.remains is not new.remains:
        changes |= {f"{_REMAINS}{uuid}": None for uuid in old.remains if uuid not in new.remains}
        changes |= {
            f"{_REMAINS}{uuid}": msgspec.json.encode(sorted(ranks))
            for uuid, ranks in new.remains.items()
            if old.remains.get(uuid) != ranks
        }
    if old.attributes is not new.attributes:
        changes |= {f"{_ATTRIBUTE}{key}": None for key in old.attributes if key not in new.attributes}
        changes |= {
            f"{_ATTRIBUTE}{key}": msgspec.json.encode(value)
            for key, value in new.attributes.items()
            if old.attributes.get(key) != value
        }
    if old.check is not new.check:
        changes |= _check_writes(old.check, new.check)
    return changes


def map_to_json(map_version: int, next_rank: int) -> bytes:
    """Return the value of ``MAP``."""
    return msgspec.json.encode(_Map(map_version, next_rank))


def load(snapshot: Snapshot) -> System:
    """Read back what ``writes`` wrote; raises StoreUnavailable if something in it makes no sense."""
    found = _Found()
    for key, held in snapshot.items.items():
        try:
            found.take(key, held.value)
        except ValueError as error:
            raise StoreUnavailable(
                f"the management database holds something unreadable under {key!r} ({error}); "
                "restore it from a backup, or remove that key with the server stopped"
            ) from error
    return found.system()


@dataclass(slots=True)
class _Found:
    """What is in a store, item by item."""

    counters: _Map = field(default_factory=_Map)
    members: dict[int, Member] = field(default_factory=dict)
    domains: dict[Path, int] = field(default_factory=lambda: {(): ROOT_ID})
    ranks: dict[int, tuple[Path, int]] = field(default_factory=dict)
    pools: dict[str, PoolService] = field(default_factory=dict)
    remains: dict[str, frozenset[int]] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    check: CheckRecords = field(default_factory=CheckRecords)
    findings: dict[int, Finding] = field(default_factory=dict)
    """Gathered, and put into ``check`` in the end: there may be thousands."""

    def take(self, key: str, value: bytes) -> None:
        """Read an item; raises ValueError if it makes no sense. What nobody here knows is left alone."""
        if key == MAP:
            self.counters = msgspec.json.decode(value, type=_Map)
        elif key.startswith(_MEMBER):
            member, node = _member_from_json(value)
            self.members[member.rank] = member
            self.ranks[member.rank] = (member.fault_domain.levels, node)
        elif key.startswith(_DOMAIN):
            path = tuple(key.removeprefix(_DOMAIN).split("/"))
            self.domains[path] = msgspec.json.decode(value, type=int)
        elif key.startswith(_POOL):
            pool = PoolService(**msgspec.structs.asdict(msgspec.json.decode(value, type=_Pool)))
            self.pools[pool.uuid] = pool
        elif key.startswith(_REMAINS):
            self.remains[key.removeprefix(_REMAINS)] = msgspec.json.decode(value, type=frozenset[int])
        elif key.startswith(_ATTRIBUTE):
            self.attributes[key.removeprefix(_ATTRIBUTE)] = msgspec.json.decode(value, type=str)
        elif key.startswith(_CHECK):
            self._take_of_checker(key, value)

    def _take_of_checker(self, key: str, value: bytes) -> None:
        if key == _POLICIES:
            self.check = replace(self.check, policies=_policies_from_json(value))
        elif key == _LAST_POLICIES:
            self.check = replace(self.check, last_policies=_policies_from_json(value))
        else:
            finding = msgspec.json.decode(value, type=Finding)
            self.findings[finding.seq] = finding

    def system(self) -> System:
        """Return the system that all this makes."""
        highest = max(*self.domains.values(), *(node for _, node in self.ranks.values()), ROOT_ID)
        return System(
            members=self.members,
            by_uuid={member.uuid: rank for rank, member in self.members.items()},
            tree=FaultTree(domains=self.domains, ranks=self.ranks, highest=highest),
            pools=self.pools,
            labels={pool.label: pool.uuid for pool in self.pools.values() if pool.label},
            unfinished=frozenset(pool.uuid for pool in self.pools.values() if not pool.ready),
            remains=self.remains,
            attributes=self.attributes,
            check=replace(self.check, findings=self.findings) if self.findings else self.check,
            map_version=self.counters.map_version,
            next_rank=self.counters.next_rank,
        )


def _member_writes(old: System, new: System) -> Mapping[str, bytes | None]:
    changes: dict[str, bytes | None] = {f"{_MEMBER}{rank}": None for rank in old.members.keys() - new.members.keys()}
    for rank in {*_changed(old.members, new.members), *_changed(old.tree.ranks, new.tree.ranks)}:
        changes[f"{_MEMBER}{rank}"] = _member_to_json(new.members[rank], new.tree.ranks[rank][1])
    if old.tree.domains is not new.tree.domains:
        changes |= {_DOMAIN + "/".join(path): None for path in old.tree.domains.keys() - new.tree.domains.keys()}
        for path in new.tree.domains.keys() - old.tree.domains.keys() - {()}:
            changes[_DOMAIN + "/".join(path)] = msgspec.json.encode(new.tree.domains[path])
    return changes


def _changed(old: Mapping[Key, object], new: Mapping[Key, object]) -> Iterator[Key]:
    """Return the keys with other values than before, by identity: every commit of a large system asks this."""
    old, new = as_dict(old), as_dict(new)
    return compress(new, map(is_not, new.values(), map(old.get, new)))


def _check_writes(old: CheckRecords, new: CheckRecords) -> Mapping[str, bytes | None]:
    changes: dict[str, bytes | None] = {_finding_key(seq): None for seq in old.findings.keys() - new.findings.keys()}
    for seq in _changed(old.findings, new.findings):
        changes[_finding_key(seq)] = msgspec.json.encode(new.findings[seq])
    if old.policies != new.policies:
        changes[_POLICIES] = _policies_to_json(new.policies)
    if old.last_policies != new.last_policies and new.last_policies is not None:
        changes[_LAST_POLICIES] = _policies_to_json(new.last_policies)
    return changes


def _finding_key(seq: int) -> str:
    return f"{_FINDING}{seq:016x}"


def _member_to_json(member: Member, node: int) -> bytes:
    return msgspec.json.encode(
        _Member(
            rank=member.rank,
            uuid=member.uuid,
            addr=member.addr,
            state=member.state,
            fault_domain=str(member.fault_domain),
            node=node,
            fabric_uri=member.fabric_uri,
            fabric_contexts=member.fabric_contexts,
            secondary_fabric_uris=member.secondary_fabric_uris,
            secondary_fabric_contexts=member.secondary_fabric_contexts,
            incarnation=member.incarnation,
            info=member.info,
            last_update=member.last_update,
        )
    )


def _member_from_json(value: bytes) -> tuple[Member, int]:
    fields = msgspec.structs.asdict(msgspec.json.decode(value, type=_Member))
    node = fields.pop("node")
    return Member(**{**fields, "fault_domain": FaultDomain.parse(fields["fault_domain"])}), node


def _pool_to_json(pool: PoolService) -> bytes:
    return msgspec.json.encode(
        _Pool(
            uuid=pool.uuid,
            label=pool.label,
            state=pool.state,
            replicas=pool.replicas,
            ranks=pool.ranks,
            tier_bytes=pool.tier_bytes,
            mem_ratio=pool.mem_ratio,
            last_update=pool.last_update,
        )
    )


def _policies_to_json(policies: Policies) -> bytes:
    """Write pairs, whose order is kept."""
    return msgspec.json.encode([(int(kind), int(action)) for kind, action in policies.items()])


def _policies_from_json(value: bytes) -> Policies:
    return {
        Inconsistency(kind): Action(action) for kind, action in msgspec.json.decode(value, type=list[tuple[int, int]])
    }
