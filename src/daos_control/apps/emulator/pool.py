"""One pool as its service sees it: the record that the replicas keep, and every command on it. Pure.

A command is decided by the service's leader: ``decide(record, command)`` gives the record to commit and what to tell
the caller, or raises DaosError with the DER code of the genuine engine. An unchanged record needs no commit.
"""

import uuid as uuids
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from daos_control.apps.emulator import acl, pool_map, properties, replicas
from daos_control.apps.emulator.pool_map import Address, Operation, PoolMap
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

MAX_FAILED_DOMAINS = 2
"""More fault domains than these cannot be down at once, unless an administrator insists."""


class Handle(msgspec.Struct, frozen=True):
    """A client's connection to the pool."""

    uuid: str
    machine: str


class Container(msgspec.Struct, frozen=True):
    """A container; it holds no data here."""

    uuid: str
    label: str
    owner_user: str
    owner_group: str


class PoolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a pool service knows, as replicated."""

    uuid: str
    term: int = 0
    """Counts the service's leaders."""
    revision: int = 0
    """Counts commits."""
    replicas: tuple[int, ...]
    properties: dict[int, int | str]
    acl: tuple[str, ...]
    map: PoolMap
    handles: tuple[Handle, ...] = ()
    containers: tuple[Container, ...] = ()
    connectable: bool = True
    objects: int = 0
    """Objects that clients are pretended to have stored, spread evenly over the targets."""
    service_bytes: int = 0
    """What each replica of the service takes of its engine's memory; those that come later take as much."""

    @property
    def short(self) -> str:
        """First part of the UUID, as logs show pools."""
        return self.uuid[:8]

    def number(self, property_number: int) -> int:
        """Return a numeric property."""
        value = self.properties[property_number]
        return value if isinstance(value, int) else 0


class Query(msgspec.Struct, frozen=True, tag=True):
    """Look, change nothing."""


class SetProperties(msgspec.Struct, frozen=True, tag=True):
    """Change properties, all or none."""

    values: dict[int, int | str]


class SetAcl(msgspec.Struct, frozen=True, tag=True):
    """Replace the access control list."""

    entries: list[str]


class UpdateAcl(msgspec.Struct, frozen=True, tag=True):
    """Add entries, or replace those about the same principals."""

    entries: list[str]


class DeleteAcl(msgspec.Struct, frozen=True, tag=True):
    """Remove the entry about a principal."""

    principal: str


class Evict(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Close handles: the given ones, else those of a machine, else all. The first step of a destroy is one of these."""

    handles: list[str] = []
    machine: str = ""
    destroy: bool = False
    force: bool = False


class SetContainerOwner(msgspec.Struct, frozen=True, tag=True):
    """Give a container, named by UUID or label, to somebody; an empty name changes nothing."""

    container: str
    user: str
    group: str


class AddContainer(msgspec.Struct, frozen=True, tag=True):
    """Pretend that a client made a container."""

    label: str


class AddObjects(msgspec.Struct, frozen=True, tag=True):
    """Pretend that clients stored data."""

    count: int


class AddHandle(msgspec.Struct, frozen=True, tag=True):
    """Pretend that a client connected."""

    machine: str


class ChangeTargets(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Exclude, drain or reintegrate targets of a rank; no indices means all."""

    operation: Operation
    rank: int
    indices: list[int] = []
    force: bool = False
    whole_rank: bool = False


class Extend(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Add ranks, given with their fault domains."""

    domains: dict[int, int]
    targets: int


class FinishRebuild(msgspec.Struct, frozen=True, tag=True):
    """Settle what was rebuilt; used by the leader itself."""

    targets: list[Address]


class RevertRebuild(msgspec.Struct, frozen=True, tag=True):
    """Take back what a stopped rebuild was to bring; used by the leader itself."""

    targets: list[Address]


class StartRebuild(msgspec.Struct, frozen=True, tag=True):
    """Start or go on with a rebuild that waits for somebody to say so."""


class StopRebuild(msgspec.Struct, frozen=True, tag=True):
    """Stop a rebuild that is under way."""


class EvaluateSelfHeal(msgspec.Struct, frozen=True, tag=True):
    """Look again whether dead ranks are to be excluded: the system's policy may have changed."""


class Upgrade(msgspec.Struct, frozen=True, tag=True):
    """Bring the pool's layout to the newest version."""


Command: TypeAlias = (
    Query
    | SetProperties
    | SetAcl
    | UpdateAcl
    | DeleteAcl
    | Evict
    | SetContainerOwner
    | AddContainer
    | AddHandle
    | AddObjects
    | ChangeTargets
    | Extend
    | FinishRebuild
    | RevertRebuild
    | StartRebuild
    | StopRebuild
    | EvaluateSelfHeal
    | Upgrade
)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a command led to; ``status`` is a DER code that comes with a count."""

    record: PoolRecord
    status: int = 0
    count: int = 0


def new_record(
    uuid: str,
    *,
    given: Mapping[int, int | str],
    entries: list[str],
    tree: replicas.DomainTree,
    targets: int,
    service_bytes: int = 0,
) -> PoolRecord:
    """Make the record of a new pool on the ranks of ``tree``; raises DaosError."""
    values = properties.initial(given, domains=tree.count)
    factor = values[properties.SVC_RF]
    access = acl.parse_list(entries or acl.DEFAULT)
    return PoolRecord(
        uuid=uuid,
        replicas=replicas.plan(tree.of_rank, factor if isinstance(factor, int) else 0),
        properties=values,
        acl=tuple(str(entry) for entry in access),
        map=pool_map.new_map(tree.of_rank, targets),
        service_bytes=service_bytes,
    )


def decide(record: PoolRecord, command: Command) -> Decision:
    """Carry out a command; raises DaosError."""
    return _RULES[type(command)](record, command)


def _changed(record: PoolRecord, **fields: object) -> Decision:
    return Decision(record=msgspec.structs.replace(record, **fields))


def _unchanged(record: PoolRecord, _command: Command) -> Decision:
    return Decision(record=record)


def _set_properties(record: PoolRecord, command: SetProperties) -> Decision:
    return _changed(record, properties=properties.changed(record.properties, command.values))


def _set_acl(record: PoolRecord, command: SetAcl) -> Decision:
    return _changed(record, acl=tuple(str(entry) for entry in acl.parse_list(command.entries)))


def _update_acl(record: PoolRecord, command: UpdateAcl) -> Decision:
    merged = acl.merge(_acl(record), acl.parse_list(command.entries))
    return _changed(record, acl=tuple(str(entry) for entry in merged))


def _delete_acl(record: PoolRecord, command: DeleteAcl) -> Decision:
    left = acl.without(_acl(record), command.principal)
    return _changed(record, acl=tuple(str(entry) for entry in left))


def _acl(record: PoolRecord) -> list[acl.Entry]:
    return [acl.parse_entry(text) for text in record.acl]


def _evict(record: PoolRecord, command: Evict) -> Decision:
    if command.handles:
        wanted = set(command.handles)
        leaving = [handle for handle in record.handles if handle.uuid in wanted]
    elif command.machine and not command.destroy:
        leaving = [handle for handle in record.handles if handle.machine == command.machine]
    else:
        leaving = list(record.handles)
    destroy = command.destroy and not command.handles
    if leaving and destroy and not command.force:
        return Decision(record=record, status=Der.BUSY, count=len(leaving))
    staying = tuple(handle for handle in record.handles if handle not in leaving)
    after = msgspec.structs.replace(record, handles=staying, connectable=record.connectable and not destroy)
    return Decision(record=after, count=len(leaving))


def _set_container_owner(record: PoolRecord, command: SetContainerOwner) -> Decision:
    for index, container in enumerate(record.containers):
        if command.container in {container.uuid, container.label}:
            owned = msgspec.structs.replace(
                container,
                owner_user=command.user or container.owner_user,
                owner_group=command.group or container.owner_group,
            )
            return _changed(record, containers=(*record.containers[:index], owned, *record.containers[index + 1 :]))
    raise DaosError(Der.NONEXIST)


def _add_container(record: PoolRecord, command: AddContainer) -> Decision:
    if command.label and any(container.label == command.label for container in record.containers):
        raise DaosError(Der.EXIST)
    owner, group = record.properties[properties.OWNER], record.properties[properties.OWNER_GROUP]
    container = Container(str(uuids.uuid4()), command.label, str(owner), str(group))
    return _changed(record, containers=(*record.containers, container))


def _add_handle(record: PoolRecord, command: AddHandle) -> Decision:
    if not record.connectable:
        raise DaosError(Der.BUSY)
    return _changed(record, handles=(*record.handles, Handle(str(uuids.uuid4()), command.machine)))


def _add_objects(record: PoolRecord, command: AddObjects) -> Decision:
    return _changed(record, objects=record.objects + command.count)


def _change_targets(record: PoolRecord, command: ChangeTargets) -> Decision:
    where = pool_map.addresses(record.map, command.rank, command.indices)
    after = pool_map.apply(record.map, command.operation, where, whole_rank=command.whole_rank)
    if (
        command.operation is Operation.EXCLUDE
        and not command.force
        and after is not record.map
        and pool_map.failed_domains(after) > MAX_FAILED_DOMAINS
    ):
        raise DaosError(Der.RF)
    return _with_map(record, after)


def _extend(record: PoolRecord, command: Extend) -> Decision:
    return _with_map(record, pool_map.extend(record.map, command.domains, command.targets))


def _finish_rebuild(record: PoolRecord, command: FinishRebuild) -> Decision:
    return _with_map(record, pool_map.apply(record.map, Operation.FINISH_REBUILD, command.targets))


def _revert_rebuild(record: PoolRecord, command: RevertRebuild) -> Decision:
    return _with_map(record, pool_map.apply(record.map, Operation.REVERT_REBUILD, command.targets))


def _with_map(record: PoolRecord, after: PoolMap) -> Decision:
    """Take over a map; the service moves away from ranks that do not serve the pool any more."""
    if after is record.map:
        return Decision(record=record)
    domains = pool_map.survivors(after)
    moved = replicas.plan(domains, record.number(properties.SVC_RF), record.replicas) if domains else record.replicas
    return _changed(record, map=after, replicas=moved)


def _upgrade(record: PoolRecord, _command: Upgrade) -> Decision:
    newest = {
        properties.GLOBAL_VERSION: properties.POOL_GLOBAL_VERSION,
        properties.OBJECT_VERSION: properties.POOL_OBJECT_VERSION,
    }
    if newest.items() <= record.properties.items():
        return Decision(record=record)
    completed = {**record.properties, **newest, properties.UPGRADE_STATUS: 2}
    return _changed(record, properties=completed)


_RULES: Mapping[type, Callable[[PoolRecord, Any], Decision]] = {
    Query: _unchanged,
    SetProperties: _set_properties,
    SetAcl: _set_acl,
    UpdateAcl: _update_acl,
    DeleteAcl: _delete_acl,
    Evict: _evict,
    SetContainerOwner: _set_container_owner,
    AddContainer: _add_container,
    AddHandle: _add_handle,
    AddObjects: _add_objects,
    ChangeTargets: _change_targets,
    Extend: _extend,
    FinishRebuild: _finish_rebuild,
    RevertRebuild: _revert_rebuild,
    StartRebuild: _unchanged,
    StopRebuild: _unchanged,
    EvaluateSelfHeal: _unchanged,
    Upgrade: _upgrade,
}
