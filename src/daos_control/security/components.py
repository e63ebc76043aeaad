"""The four parties of a DAOS system, and which of them may call what.

A certificate's common name is the component; nothing else of the subject counts.
"""

from enum import StrEnum


class Component(StrEnum):
    """A party; the value is the certificate's common name and the ``x-daos-component`` header's text."""

    SERVER = "server"
    ADMIN = "admin"
    AGENT = "agent"
    CLIENT = "client"
