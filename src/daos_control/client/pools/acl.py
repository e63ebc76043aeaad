"""Why engines refuse access control lists.

Entries go to the engines as they are: those decide what they take, newer ones perhaps more than is known here. All they
say when they refuse is that something is invalid. Then our own reading says what.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.model.acl import InvalidAcl


@contextmanager
def explaining(read: Callable[[], object]) -> Iterator[None]:
    """Turn a bare "invalid" into what ``read`` complains about, if it does; the status is the same."""
    try:
        yield
    except DaosError as error:
        if error.status == Der.INVAL:
            try:
                read()
            except InvalidAcl as explained:
                raise explained from error
        raise
