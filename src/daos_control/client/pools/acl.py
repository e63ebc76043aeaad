"""Why engines refuse access control lists.

Entries go to the engines as they are: those decide what they take, newer ones perhaps more than is known here. All they
say when they refuse is that something is invalid. Then our own reading says what.
"""
# ruff: noqa: PLC0415 - how lists are read is of interest only where one is refused

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from daos_control.base.der import Der
from daos_control.base.errors import DaosError


@contextmanager
def explaining_entries(entries: Sequence[str]) -> Iterator[None]:
    """Turn a bare "invalid" into what is wrong with a list, if anything is; the status is the same."""
    try:
        yield
    except DaosError as error:
        if error.status == Der.INVAL:
            from daos_control.model.acl import AccessControlList, InvalidAcl

            try:
                AccessControlList.parse(entries)
            except InvalidAcl as explained:
                raise explained from error
        raise


@contextmanager
def explaining_principal(principal: str) -> Iterator[None]:
    """Turn a bare "invalid" into what is wrong with a principal, if anything is; the status is the same."""
    try:
        yield
    except DaosError as error:
        if error.status == Der.INVAL:
            from daos_control.model.acl import InvalidAcl, Principal

            try:
                Principal.parse(principal)
            except InvalidAcl as explained:
                raise explained from error
        raise
