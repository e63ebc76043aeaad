"""What the checker finds, and its policies: message and value."""

from collections.abc import Iterable
from typing import Any

from daos_control.model.checker import Action, Finding, Inconsistency, Policies
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.mgmt import check_pb2

_PLAIN = (
    *("seq", "result", "rank", "target", "pool_uuid", "pool_label", "cont_uuid", "cont_label"),
    *("objid", "dkey", "akey", "timestamp", "msg"),
)
"""Fields that have the same name and type on both sides."""


def finding_from_pb(message: chk_pb2.CheckReport) -> Finding:
    """Read a finding."""
    return Finding(
        kind=Inconsistency(getattr(message, "class")),
        action=Action(message.action),
        choices=tuple(Action(choice) for choice in message.act_choices),
        details=tuple(message.act_details),
        words=tuple(message.act_msgs),
        **{name: getattr(message, name) for name in _PLAIN},
    )


def finding_to_pb(finding: Finding) -> chk_pb2.CheckReport:
    """Write a finding."""
    fields: dict[str, Any] = {name: getattr(finding, name) for name in _PLAIN}
    fields["class"] = int(finding.kind)
    return chk_pb2.CheckReport(
        action=int(finding.action),  # type: ignore[arg-type]  # an int at run time
        act_choices=[int(choice) for choice in finding.choices],  # type: ignore[misc]
        act_details=finding.details,
        act_msgs=finding.words,
        **fields,
    )


def policies_from_pb(messages: Iterable[check_pb2.CheckInconsistPolicy]) -> Policies:
    """Read policies; of several for one class, the last counts."""
    return {Inconsistency(message.inconsist_cas): Action(message.inconsist_act) for message in messages}


def policies_to_pb(policies: Policies) -> list[check_pb2.CheckInconsistPolicy]:
    """Write policies."""
    return [
        check_pb2.CheckInconsistPolicy(
            inconsist_cas=int(kind),  # type: ignore[arg-type]  # an int at run time
            inconsist_act=int(action),  # type: ignore[arg-type]
        )
        for kind, action in policies.items()
    ]
