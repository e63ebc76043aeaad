"""A mapping of which changed copies are cheap, for values that are replaced a thousand times a second.

Copying a dictionary of two thousand members to add one costs as much as everything else that is done to let it in. A
``Growing`` shares the large old part with the copy before it, and copies only the few items that were set since.
"""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from itertools import chain
from typing import TypeVar, overload

MOST_NEW = 128
"""Items that are kept apart; with more of them everything is put together anew."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Other = TypeVar("Other")


class Growing(Mapping[Key, Value]):
    """An immutable mapping; ``with_item`` makes the next one.

    >>> one = with_item({"a": 1}, "b", 2)
    >>> two = with_item(one, "a", 3)
    >>> dict(one), dict(two), len(two)
    ({'a': 1, 'b': 2}, {'a': 3, 'b': 2}, 2)
    """

    __slots__ = ("_all", "_new", "_old", "_size")

    def __init__(self, old: dict[Key, Value], new: dict[Key, Value], size: int) -> None:
        self._old = old
        self._new = new
        self._size = size
        self._all: dict[Key, Value] | None = None

    def with_item(self, key: Key, value: Value) -> "Mapping[Key, Value]":
        """Return a mapping with one item set."""
        if len(self._new) >= MOST_NEW:
            return {**self.as_dict(), key: value}
        return Growing(self._old, {**self._new, key: value}, self._size + (key not in self))

    def as_dict(self) -> dict[Key, Value]:
        """Return everything as a dictionary, not to be changed; it is made once."""
        if self._all is None:
            self._all = {**self._old, **self._new}
        return self._all

    @overload
    def get(self, key: Key, /) -> Value | None: ...
    @overload
    def get(self, key: Key, /, default: Value | Other) -> Value | Other: ...
    def get(self, key: Key, /, default: Value | Other | None = None) -> Value | Other | None:
        """Return a value, or the default, without the exception that a mapping's own way raises for what is missing."""
        new = self._new
        return new[key] if key in new else self._old.get(key, default)

    def __getitem__(self, key: Key) -> Value:
        new = self._new
        return new[key] if key in new else self._old[key]

    def __contains__(self, key: object) -> bool:
        return key in self._new or key in self._old

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Key]:
        return chain(self._old, (key for key in self._new if key not in self._old))

    def keys(self) -> KeysView[Key]:
        """Return the keys, those that were added last at the end."""
        return self.as_dict().keys()

    def values(self) -> ValuesView[Value]:
        """Return the values, in the order of the keys."""
        return self.as_dict().values()

    def items(self) -> ItemsView[Key, Value]:
        """Return the items, in the order of the keys."""
        return self.as_dict().items()

    def __repr__(self) -> str:
        return repr(self.as_dict())


def as_dict(mapping: Mapping[Key, Value]) -> Mapping[Key, Value]:
    """Return a mapping as a dictionary, which is faster for whoever looks at every item."""
    return mapping.as_dict() if isinstance(mapping, Growing) else mapping


def with_item(mapping: Mapping[Key, Value], key: Key, value: Value) -> Mapping[Key, Value]:
    """Return a mapping with one item set; of a small one that is a dictionary."""
    if isinstance(mapping, Growing):
        return mapping.with_item(key, value)
    if len(mapping) < MOST_NEW:
        return {**mapping, key: value}
    return Growing(dict(mapping), {key: value}, len(mapping) + (key not in mapping))
