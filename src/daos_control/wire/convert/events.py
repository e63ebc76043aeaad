"""RAS events: message and value."""

from daos_control.model.event import EngineStateInfo, Event, ExtendedInfo, PoolServiceInfo
from daos_control.wire.pb.shared import event_pb2


def event_from_pb(message: event_pb2.RASEvent, *, forwarded: bool) -> Event:
    """Read an event; ``forwarded`` if it came from another host's server and not from an engine of ours."""
    return Event(
        id=message.id,
        type=message.type,
        severity=message.severity,
        message=message.msg,
        timestamp=message.timestamp,
        hostname=message.hostname,
        rank=message.rank,
        incarnation=message.incarnation,
        hw_id=message.hw_id,
        proc_id=message.proc_id,
        thread_id=message.thread_id,
        job_id=message.job_id,
        pool_uuid=message.pool_uuid,
        cont_uuid=message.cont_uuid,
        obj_id=message.obj_id,
        ctl_op=message.ctl_op,
        info=_info_from_pb(message),
        forwarded=forwarded,
    )


def _info_from_pb(message: event_pb2.RASEvent) -> ExtendedInfo:
    match message.WhichOneof("extended_info"):
        case "str_info":
            return message.str_info
        case "engine_state_info":
            return EngineStateInfo(message.engine_state_info.instance, message.engine_state_info.error)
        case "pool_svc_info":
            return PoolServiceInfo(tuple(message.pool_svc_info.svc_reps), message.pool_svc_info.version)
        case _:
            return None


def event_to_pb(event: Event) -> event_pb2.RASEvent:
    """Write an event."""
    message = event_pb2.RASEvent(
        id=event.id,
        msg=event.message,
        timestamp=event.timestamp,
        type=event.type,
        severity=event.severity,
        hostname=event.hostname,
        rank=event.rank,
        incarnation=event.incarnation,
        hw_id=event.hw_id,
        proc_id=event.proc_id,
        thread_id=event.thread_id,
        job_id=event.job_id,
        pool_uuid=event.pool_uuid,
        cont_uuid=event.cont_uuid,
        obj_id=event.obj_id,
        ctl_op=event.ctl_op,
    )
    match event.info:
        case None:
            pass
        case str(text):
            message.str_info = text
        case EngineStateInfo(instance=instance, error=error):
            message.engine_state_info.instance = instance
            message.engine_state_info.errored = bool(error)
            message.engine_state_info.error = error
        case PoolServiceInfo(replicas=replicas, version=version):
            message.pool_svc_info.svc_reps.extend(replicas)
            message.pool_svc_info.version = version
    return message
