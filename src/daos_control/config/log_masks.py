"""The words of engine log masks, and whether a mask makes sense."""

import re
from collections.abc import Collection

ALL = "ALL"
LEVELS = frozenset({
    "DEBUG", "DBUG", "INFO", "NOTE", "WARN", "ERROR", "ERR", "CRIT", "ALRT", "FATAL", "EMRG", "EMIT",
})  # fmt: skip
SUBSYSTEMS = frozenset({
    "ALL", "DAOS", "ARRAY", "KV", "COMMON", "TREE", "VOS", "CLIENT", "SERVER", "RDB", "RSVC", "POOL", "CONTAINER",
    "OBJECT", "PLACEMENT", "REBUILD", "MGMT", "BIO", "TESTS", "DFS", "DUNS", "DRPC", "SECURITY", "DTX", "DFUSE",
    "IL", "CSUM", "STACK", "MISC", "MEM", "SWIM", "FI", "TELEM", "CRT", "RPC", "BULK", "CORPC", "GRP", "LM", "HG",
    "EXTERNAL", "ST", "IV", "CTL",
})  # fmt: skip
STREAMS = frozenset({
    "ALL", "MD", "PL", "MGMT", "EPC", "DF", "REBUILD", "SEC", "CSUM", "GROUP_DEFAULT", "GROUP_METADATA_ONLY",
    "GROUP_METADATA", "ANY", "TRACE", "MEM", "NET", "IO", "TEST",
})  # fmt: skip
LONGEST = 1023

_CHARACTERS = re.compile(r"[A-Za-z,=_]+")


def check_masks(masks: str) -> None:
    """Raise ValueError unless this is ``LEVEL,SUBSYSTEM=LEVEL,...``, or nothing."""
    if not masks:
        return
    _check_characters(masks)
    for place, token in enumerate(masks.split(",")):
        subsystem, assigns, level = token.rpartition("=")
        if not assigns and place > 0:
            raise ValueError(
                f'"{token}" names no subsystem: only the first level may stand alone, as in ERR,MGMT=DEBUG'
            )
        if level.upper() not in LEVELS:
            raise ValueError(f'there is no log level "{level}": use one of {_listed(LEVELS)}')
        if subsystem.upper() == ALL:
            raise ValueError("ALL takes no level of its own: write the level for all first, alone")
        if assigns:
            check_subsystems(subsystem)


def check_subsystems(names: str) -> None:
    """Raise ValueError unless this is a list of subsystems (``DD_SUBSYS``), or nothing."""
    _check_names(names, SUBSYSTEMS, "subsystem")


def check_streams(names: str) -> None:
    """Raise ValueError unless this is a list of debug streams (``DD_MASK``), or nothing."""
    _check_names(names, STREAMS, "debug stream")


def _check_names(names: str, known: Collection[str], kind: str) -> None:
    if not names:
        return
    _check_characters(names)
    tokens = names.split(",")
    for token in tokens:
        if token.upper() not in known:
            raise ValueError(f'there is no {kind} "{token}": use some of {_listed(known)}')
        if token.upper() == ALL and len(tokens) > 1:
            raise ValueError(f"ALL stands for every {kind}: name no others beside it")


def _check_characters(text: str) -> None:
    if len(text.encode()) > LONGEST:
        raise ValueError(f"{len(text.encode())} bytes are too many: engines read {LONGEST}")
    if not _CHARACTERS.fullmatch(text):
        raise ValueError(f'"{text}" has other characters than letters, commas, = and _')


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words))
