"""Attributes and properties of the whole system: what may be set, what is answered."""

from collections.abc import Collection, Mapping

from daos_control.mgmt.errors import Refused
from daos_control.mgmt.system import Change, System
from daos_control.model.system_property import (
    COMPUTED,
    PROPERTY_PREFIX,
    SETTABLE,
    PropertyError,
    SystemProperty,
    reserved,
    settable,
)


def set_attributes(system: System, attributes: Mapping[str, str]) -> Change[None]:
    """Set users' attributes; an empty value removes one."""
    for key in attributes:
        if reserved(key):
            raise Refused(f'cannot set reserved key "{key}"')
    changes = {key: value or None for key, value in attributes.items()}
    return Change(system=system.with_attributes(changes), outcome=None)


def get_attributes(system: System, keys: Collection[str]) -> dict[str, str]:
    """Return users' attributes, all or by name; names that are not the users' are left out silently."""
    for key in keys:
        if key not in system.attributes:
            raise Refused(f'unable to find system attribute with key "{key}"')
    wanted = keys or system.attributes
    return {key: system.attributes[key] for key in wanted if not reserved(key)}


def set_properties(system: System, properties: Mapping[str, str]) -> Change[tuple[SystemProperty, ...]]:
    """Set properties of the system, all or none; returns those set."""
    changes: dict[str, str | None] = {}
    done = []
    for name, value in properties.items():
        try:
            prop = settable(name)
            changes[PROPERTY_PREFIX + prop.name] = prop.canonical(value)
        except PropertyError as error:
            raise Refused(str(error)) from error
        done.append(prop)
    return Change(system=system.with_attributes(changes), outcome=tuple(done))


def get_properties(system: System, keys: Collection[str], *, computed: Mapping[str, str]) -> dict[str, str]:
    """Return properties, all or by name; those that were ever set come along with any, as from DAOS 2.8.

    ``computed`` has the values of those that cannot be set.
    """
    everything = {name: computed[name] for name in COMPUTED} | {name: system.setting(name) for name in SETTABLE}
    if not keys:
        return everything
    answer = {name: everything[name] for name in SETTABLE if PROPERTY_PREFIX + name in system.attributes}
    for key in keys:
        if key.lower() not in everything:
            raise Refused(f'unknown property "{key}"')
        answer[key.lower()] = everything[key.lower()]
    return answer
