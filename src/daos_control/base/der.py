"""DAOS error numbers (DER codes): the negative integers that engines, servers and libraries exchange.

Numbers and texts are those of DAOS 2.8; the text form ``NAME(-number): description`` is what logs,
gRPC status messages and dmg print, and what tools match.
"""

from enum import IntEnum
from typing import Self


class Der(IntEnum):
    """A named DER code; 0 is success, every other value is negative."""

    SUCCESS = 0
    NO_PERM = -1001
    NO_HDL = -1002
    INVAL = -1003
    EXIST = -1004
    NONEXIST = -1005
    UNREACH = -1006
    NOSPACE = -1007
    ALREADY = -1008
    NOMEM = -1009
    NOSYS = -1010
    TIMEDOUT = -1011
    BUSY = -1012
    AGAIN = -1013
    PROTO = -1014
    UNINIT = -1015
    TRUNC = -1016
    OVERFLOW = -1017
    CANCELED = -1018
    OOG = -1019
    HG = -1020
    UNREG = -1021
    ADDRSTR_GEN = -1022
    PMIX = -1023
    IVCB_FORWARD = -1024
    MISC = -1025
    BADPATH = -1026
    NOTDIR = -1027
    CORPC_INCOMPLETE = -1028
    NO_RAS_RANK = -1029
    NOTATTACH = -1030
    MISMATCH = -1031
    EXCLUDED = -1032
    NOREPLY = -1033
    DOS = -1034
    BAD_TARGET = -1035
    GRPVER = -1036
    HLC_SYNC = -1037
    NO_SHMEM = -1038
    ADD_METRIC_FAILED = -1039
    DURATION_MISMATCH = -1040
    OP_NOT_PERMITTED = -1041
    EXCEEDS_PATH_LEN = -1042
    METRIC_NOT_FOUND = -1043
    SHMEM_PERMS = -1044
    HG_FATAL = -1045
    QUOTA_LIMIT = -1046
    IO = -2001
    FREE_MEM = -2002
    ENOENT = -2003
    NOTYPE = -2004
    NOSCHEMA = -2005
    NOLOCAL = -2006
    STALE = -2007
    NOTLEADER = -2008
    TGT_CREATE = -2009
    EP_RO = -2010
    EP_OLD = -2011
    KEY2BIG = -2012
    REC2BIG = -2013
    IO_INVAL = -2014
    EQ_BUSY = -2015
    DOMAIN = -2016
    SHUTDOWN = -2017
    INPROGRESS = -2018
    NOTAPPLICABLE = -2019
    NOTREPLICA = -2020
    CSUM = -2021
    DF_INVAL = -2022
    DF_INCOMPT = -2023
    REC_SIZE = -2024
    TX_RESTART = -2025
    DATA_LOSS = -2026
    OP_CANCELED = -2027
    TX_BUSY = -2028
    AGENT_INCOMPAT = -2029
    NEED_TX = -2030
    RF = -2031
    FETCH_AGAIN = -2032
    TX_UNCERTAIN = -2033
    AGENT_COMM = -2034
    ID_MISMATCH = -2035
    TGT_RETRY = -2036
    NOTSUPPORTED = -2037
    CONTROL_INCOMPAT = -2038
    NO_SERVICE = -2039
    TX_ID_REUSED = -2040
    UPDATE_AGAIN = -2041
    NVME_IO = -2042
    NO_CERT = -2043
    BAD_CERT = -2044
    VOS_PARTIAL_UPDATE = -2045
    CHKPT_BUSY = -2046
    DIV_BY_ZERO = -2047
    OVERLOAD_RETRY = -2048
    NOT_RESUME = -2049
    CONT_NONEXIST = -2050
    CONT_DESTROYING = -2051
    IGNORE = -2052

    @classmethod
    def get(cls, status: int) -> Self | None:
        """Return the code of this number, or None if it has no name."""
        try:
            return cls(status)
        except ValueError:
            return None

    @property
    def description(self) -> str:
        """What the code means, in DAOS's words."""
        return _DESCRIPTIONS[self]


def der_text(status: int) -> str:
    """Spell a status number out.

    >>> der_text(-1005)
    'DER_NONEXIST(-1005): The specified entity does not exist'
    >>> der_text(-9)
    'DER_UNKNOWN(-9): Unknown error code -9'
    """
    code = Der.get(status)
    if code is None:
        return f"DER_UNKNOWN({status}): Unknown error code {status}"
    return f"DER_{code.name}({status}): {code.description}"


_DESCRIPTIONS = {
    Der.SUCCESS: "Success",
    Der.NO_PERM: "Operation not permitted",
    Der.NO_HDL: "Invalid handle",
    Der.INVAL: "Invalid parameters",
    Der.EXIST: "Entity already exists",
    Der.NONEXIST: "The specified entity does not exist",
    Der.UNREACH: "Unreachable node",
    Der.NOSPACE: "No space on storage target",
    Der.ALREADY: "Operation already performed",
    Der.NOMEM: "Out of memory",
    Der.NOSYS: "Function not implemented",
    Der.TIMEDOUT: "Time out",
    Der.BUSY: "Device or resource busy",
    Der.AGAIN: "Try again",
    Der.PROTO: "Incompatible protocol",
    Der.UNINIT: "Device or resource not initialized",
    Der.TRUNC: "Buffer too short",
    Der.OVERFLOW: "Data too long for defined data type or buffer size",
    Der.CANCELED: "Operation canceled",
    Der.OOG: "Out of group or member list",
    Der.HG: "Transport layer mercury error",
    Der.UNREG: "RPC or protocol version not registered",
    Der.ADDRSTR_GEN: "Failed to generate an address string",
    Der.PMIX: "PMIx layer error",
    Der.IVCB_FORWARD: "Incast variable unavailable locally. Must forward",
    Der.MISC: "Miscellaneous error",
    Der.BADPATH: "Bad path name",
    Der.NOTDIR: "Not a directory",
    Der.CORPC_INCOMPLETE: "Collective RPC failed",
    Der.NO_RAS_RANK: "No rank is subscribed to RAS",
    Der.NOTATTACH: "Service group not attached",
    Der.MISMATCH: "Version mismatch",
    Der.EXCLUDED: "Rank has been excluded",
    Der.NOREPLY: "User provided RPC handler did not send reply back",
    Der.DOS: "Denial of service",
    Der.BAD_TARGET: "Incorrect target for the RPC",
    Der.GRPVER: "Group versioning mismatch",
    Der.HLC_SYNC: "HLC synchronization error",
    Der.NO_SHMEM: "Not enough shared memory free",
    Der.ADD_METRIC_FAILED: "Failed to add the specified metric",
    Der.DURATION_MISMATCH: "Duration end not paired with duration start",
    Der.OP_NOT_PERMITTED: "Operation not permitted for metric type provided",
    Der.EXCEEDS_PATH_LEN: "Path name exceeds permitted length",
    Der.METRIC_NOT_FOUND: "Read failed because metric not found",
    Der.SHMEM_PERMS: "Unable to access shared memory segment due to incompatible user or group permissions",
    Der.HG_FATAL: "Fatal transport layer mercury error",
    Der.QUOTA_LIMIT: "Quota limit reached",
    Der.IO: "I / O error",
    Der.FREE_MEM: "Memory free error",
    Der.ENOENT: "Entity not found",
    Der.NOTYPE: "Unknown object type",
    Der.NOSCHEMA: "Unknown object schema",
    Der.NOLOCAL: "Object is not local",
    Der.STALE: "Stale pool map version",
    Der.NOTLEADER: "Not service leader",
    Der.TGT_CREATE: "Target create error",
    Der.EP_RO: "Epoch is read only",
    Der.EP_OLD: "Epoch is too old. All data have been recycled",
    Der.KEY2BIG: "Key is too large",
    Der.REC2BIG: "Record is too large",
    Der.IO_INVAL: "I / O buffers do not match object extents",
    Der.EQ_BUSY: "Event queue is busy",
    Der.DOMAIN: "Domain of cluster component do not match",
    Der.SHUTDOWN: "Service should shut down",
    Der.INPROGRESS: "Operation now in progress",
    Der.NOTAPPLICABLE: "Not applicable",
    Der.NOTREPLICA: "Not a service replica",
    Der.CSUM: "Checksum error",
    Der.DF_INVAL: "Unsupported durable format",
    Der.DF_INCOMPT: "Incompatible durable format version",
    Der.REC_SIZE: "Record size error",
    Der.TX_RESTART: "Transaction should restart",
    Der.DATA_LOSS: "Data lost or not recoverable",
    Der.OP_CANCELED: "Operation canceled",
    Der.TX_BUSY: "TX is not committed",
    Der.AGENT_INCOMPAT: "Agent is incompatible with libdaos",
    Der.NEED_TX: "To be handled via distributed transaction",
    Der.RF: "Failures exceed RF",
    Der.FETCH_AGAIN: "Fetch again",
    Der.TX_UNCERTAIN: "TX status is uncertain",
    Der.AGENT_COMM: "Agent communication error",
    Der.ID_MISMATCH: "ID mismatch",
    Der.TGT_RETRY: "Retry with other target",
    Der.NOTSUPPORTED: "Operation not supported",
    Der.CONTROL_INCOMPAT: "One or more control plane components are incompatible",
    Der.NO_SERVICE: "No service available",
    Der.TX_ID_REUSED: "TX ID may be reused",
    Der.UPDATE_AGAIN: "update again",
    Der.NVME_IO: "NVMe I / O error",
    Der.NO_CERT: "Unable to access one or more certificates",
    Der.BAD_CERT: "Invalid x509 certificate",
    Der.VOS_PARTIAL_UPDATE: "Same epoch partial overwrite of VOS array value disallowed",
    Der.CHKPT_BUSY: "Page is temporarily read only due to checkpointing",
    Der.DIV_BY_ZERO: "Division by zero",
    Der.OVERLOAD_RETRY: "retry later because of overloaded service",
    Der.NOT_RESUME: "Cannot resume former DAOS check instance",
    Der.CONT_NONEXIST: "The specified container does not exist",
    Der.CONT_DESTROYING: "The specified container is being destroyed",
    Der.IGNORE: "current item for iteration or something else should be ignored",
}
