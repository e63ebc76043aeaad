"""How a check stands and what its policies are, with the keys that DAOS gives them."""

from dataclasses import fields
from typing import Any, Final

from daos_control.base.rankset import NIL_RANK
from daos_control.cli.dmg.check.wording import flags_text, moment, pool_phase, pool_status
from daos_control.cli.ui.documents import document
from daos_control.client.checker import CheckPolicies, CheckState, PoolCheck
from daos_control.model.checker import Finding


def state_document(state: CheckState) -> dict[str, Any]:
    """Give a check the keys that DAOS gives it."""
    return {
        "start_time": moment(state.start_time),
        "status": state.status.name,
        "scan_phase": state.phase.name,
        "leader": NIL_RANK if state.leader is None else state.leader,
        "pools": {uuid: _pool_document(pool) for uuid, pool in sorted(state.pools.items())},
        "reports": [_finding_document(finding) for finding in state.findings] or None,
    }


def _pool_document(pool: PoolCheck) -> dict[str, Any]:
    """Describe a pool's check; "elapsed" is not how long it took but when it ended, as DAOS has it."""
    return {
        "uuid": pool.uuid,
        "label": "",
        "status": pool_status(pool),
        "phase": pool_phase(pool),
        "rank_count": len(pool.ranks),
        "start_time": moment(pool.start_time),
        "remaining": pool.misc_time if pool.checking else 0,
        "elapsed": 0 if pool.checking else pool.misc_time,
    }


_KEYS: Final = {"kind": "class", "choices": "act_choices", "details": "act_details", "words": "act_msgs"}


def _finding_document(finding: Finding) -> dict[str, Any]:
    """Describe a finding; but for the rank, what is 0 or empty is left out."""
    found = {_KEYS.get(part.name, part.name): getattr(finding, part.name) for part in fields(finding)}
    return {"rank": finding.rank} | {key: document(value) for key, value in found.items() if value}


def policies_document(found: CheckPolicies) -> dict[str, Any]:
    """Give policies the keys that DAOS gives them."""
    return {
        "checker_flags": flags_text(found.flags),
        "policies": [f"{kind.name}:{action.name}" for kind, action in found.policies] or None,
    }
