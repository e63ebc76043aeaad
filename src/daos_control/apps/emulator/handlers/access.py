"""What a pool says of itself and who may use it: properties, access control, containers."""

from collections.abc import Mapping
from typing import Any

from daos_control.apps.emulator import properties, replicas
from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.handlers import EngineHandler, parse_uuid
from daos_control.apps.emulator.handlers.pools import property_values
from daos_control.apps.emulator.pool import (
    Command,
    DeleteAcl,
    PoolRecord,
    Query,
    SetAcl,
    SetContainerOwner,
    SetProperties,
    UpdateAcl,
)
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.mgmt import acl_pb2, cont_pb2, pool_pb2, svc_pb2


async def set_properties(engine: Engine, request: pool_pb2.PoolSetPropReq) -> pool_pb2.PoolSetPropResp:
    """Change properties, all or none."""
    uuid = parse_uuid(request.id)
    values = property_values(request.properties)
    if len(values) != len(request.properties):
        raise DaosError(Der.INVAL)
    await _record(engine, uuid, list(request.svc_ranks), SetProperties(values))
    return pool_pb2.PoolSetPropResp()


async def get_properties(engine: Engine, request: pool_pb2.PoolGetPropReq) -> pool_pb2.PoolGetPropResp:
    """Tell properties, in the order they were asked for."""
    uuid = parse_uuid(request.id)
    numbers = [item.number for item in request.properties]
    readable = properties.TABLE.keys() | {properties.SVC_LIST}
    if not numbers or not readable.issuperset(numbers):
        raise DaosError(Der.INVAL)
    record = await _record(engine, uuid, list(request.svc_ranks), Query())
    return pool_pb2.PoolGetPropResp(properties=[_property(record, number) for number in numbers])


async def get_acl(engine: Engine, request: acl_pb2.GetACLReq) -> acl_pb2.ACLResp:
    """Tell who may do what."""
    return _access(await _record(engine, parse_uuid(request.id), list(request.svc_ranks), Query()))


async def overwrite_acl(engine: Engine, request: acl_pb2.ModifyACLReq) -> acl_pb2.ACLResp:
    """Replace the list."""
    return _access(await _modify(engine, request, SetAcl(list(request.entries))))


async def update_acl(engine: Engine, request: acl_pb2.ModifyACLReq) -> acl_pb2.ACLResp:
    """Add to the list, or change it."""
    return _access(await _modify(engine, request, UpdateAcl(list(request.entries))))


async def delete_acl(engine: Engine, request: acl_pb2.DeleteACLReq) -> acl_pb2.ACLResp:
    """Take one principal off the list."""
    return _access(await _modify(engine, request, DeleteAcl(request.principal)))


async def list_containers(engine: Engine, request: pool_pb2.ListContReq) -> pool_pb2.ListContResp:
    """Tell which containers there are."""
    record = await _record(engine, parse_uuid(request.id), list(request.svc_ranks), Query())
    containers = [pool_pb2.ListContResp.Cont(uuid=container.uuid) for container in record.containers]
    return pool_pb2.ListContResp(containers=containers)


async def set_container_owner(engine: Engine, request: cont_pb2.ContSetOwnerReq) -> svc_pb2.DaosResp:
    """Give a container to somebody."""
    command = SetContainerOwner(request.cont_id, request.owner_user, request.owner_group)
    await _record(engine, parse_uuid(request.pool_id), list(request.svc_ranks), command)
    return svc_pb2.DaosResp()


async def _modify(engine: Engine, request: acl_pb2.ModifyACLReq | acl_pb2.DeleteACLReq, command: Command) -> PoolRecord:
    return await _record(engine, parse_uuid(request.id), list(request.svc_ranks), command)


async def _record(engine: Engine, uuid: str, svc_ranks: list[int], command: Command) -> PoolRecord:
    outcome = await engine.command(uuid, svc_ranks, command)
    if outcome.record is None:
        raise DaosError(Der.NOTREPLICA)
    return outcome.record


def _property(record: PoolRecord, number: int) -> pool_pb2.PoolProperty:
    if number == properties.SVC_LIST:
        return pool_pb2.PoolProperty(number=number, strval=replicas.ranks_text(record.replicas))
    value = record.properties[number]
    if isinstance(value, str):
        return pool_pb2.PoolProperty(number=number, strval=value)
    return pool_pb2.PoolProperty(number=number, numval=value)


def _access(record: PoolRecord) -> acl_pb2.ACLResp:
    access = acl_pb2.AccessControlList(
        entries=record.acl,
        owner_user=str(record.properties[properties.OWNER]),
        owner_group=str(record.properties[properties.OWNER_GROUP]),
    )
    return acl_pb2.ACLResp(acl=access)


HANDLERS: Mapping[Method[Any, Any], EngineHandler] = {
    Mgmt.POOL_SET_PROP: set_properties,
    Mgmt.POOL_GET_PROP: get_properties,
    Mgmt.POOL_GET_ACL: get_acl,
    Mgmt.POOL_OVERWRITE_ACL: overwrite_acl,
    Mgmt.POOL_UPDATE_ACL: update_acl,
    Mgmt.POOL_DELETE_ACL: delete_acl,
    Mgmt.LIST_CONTAINERS: list_containers,
    Mgmt.CONT_SET_OWNER: set_container_owner,
}
