"""Reading a YAML document into a typed value, and writing the value out again.

The types are frozen dataclasses whose fields are named as the keys; a document changes what it names and leaves the
defaults of the rest, at every depth. Reading is strict: an unknown key, a key given twice, or a value of the wrong kind
is a problem with a line number, and all problems are told at once. A key without a value counts as not given.

YAML is read as DAOS 2.8 reads it, version 1.1: ``yes`` and ``off`` are booleans, ``0x13`` is a number, and where a text
is wanted any scalar is taken as it is written.
"""

import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from daos_control.base.errors import DaosControlError
from daos_control.config import plain
from daos_control.config.plain import BOOL, NULL, STR

Value = TypeVar("Value")

_MERGE = "tag:yaml.org,2002:merge"
_NUMBER = r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[0-9][0-9_]*)"


class Problem(NamedTuple):
    """One thing that is wrong with a document."""

    line: int
    text: str


class ConfigError(DaosControlError):
    """A configuration that cannot be used: where it is, and all that is wrong with it."""

    def __init__(self, source: str, problems: Sequence[Problem | str]) -> None:
        super().__init__(source, tuple(problems))
        self.source = source
        self.problems = tuple(problem if isinstance(problem, Problem) else Problem(0, problem) for problem in problems)

    def __str__(self) -> str:
        lines = [f"line {problem.line}: {problem.text}" if problem.line else problem.text for problem in self.problems]
        if len(lines) == 1:
            return f"cannot use {self.source}: {lines[0]}"
        return f"cannot use {self.source}:\n" + "\n".join(f"  {line}" for line in lines)


class Scalar(NamedTuple):
    """How a value of a type of its own is written in one scalar; ``read`` raises ValueError."""

    read: Callable[[str], Any]
    write: Callable[[Any], str | int]


class Bounds(NamedTuple):
    """The whole numbers that fit."""

    lo: int
    hi: int


UInt8 = Annotated[int, Bounds(0, 0xFF)]
UInt32 = Annotated[int, Bounds(0, 0xFFFFFFFF)]
UInt = Annotated[int, Bounds(0, 0xFFFFFFFFFFFFFFFF)]


def setting(
    default: Any = MISSING,
    *,
    name: str = "",
    omit: bool = False,
    skip_null: bool = False,
    factory: Callable[[], Any] | None = None,
) -> Any:
    """Declare a key: ``name`` where Python forbids it, ``omit`` to leave it out of dumps while it has no value.

    With ``skip_null``, empty items of a list are left out; otherwise they stand for an item of defaults.
    """
    metadata = {"name": name, "omit": omit, "skip_null": skip_null}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def internal(default: Any) -> Any:
    """Declare a field that is no key."""
    return field(default=default, metadata={"internal": True})


# -- reading -----------------------------------------------------------------------------------------------------------


def load(path: str | Path, defaults: Value) -> Value:
    """Read a file over ``defaults``. Raises ConfigError; OSError if the file cannot be read."""
    return parse(Path(path).read_bytes(), defaults, source=str(path))


def parse(text: str | bytes, defaults: Value, *, source: str) -> Value:
    """Read a document over ``defaults``; ``source`` is what it is called in errors."""
    root = plain.compose(text) or _compose(text, source)
    reader = _Reader(type(defaults))
    value = defaults if root is None or _is_null(root) else reader.structure(root, defaults)
    if reader.problems:
        raise ConfigError(source, sorted(reader.problems, key=attrgetter("line")))
    return value


def _compose(text: str | bytes, source: str) -> Any:
    import yaml  # noqa: PLC0415  its import takes longer than the reading, and plain documents do without

    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        complaint = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(source, [Problem(mark.line + 1 if mark else 0, f"this is no YAML: {complaint}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(source, [f"this is no YAML: {error}"]) from error


class _Reader:
    """Turns nodes into values; what is wrong is noted, and the default goes in its place."""

    def __init__(self, top: Any) -> None:
        self.problems: list[Problem] = []
        self._top = top

    def structure(self, node: Any, defaults: Any) -> Any:
        if node.id != "mapping":
            self._note(node, "a mapping of keys to values is wanted here")
            return defaults
        known = keys_of(type(defaults))
        given = {}
        for name, key_node, value_node in self._entries(node):
            if name not in known:
                self._note(key_node, _unknown(name, known, self._top))
            elif not _is_null(value_node):
                declared = known[name]
                given[declared.name] = self._value(
                    value_node, declared.type, getattr(defaults, declared.name), name, declared.metadata["skip_null"]
                )
        return replace(defaults, **given)

    def _entries(self, node: Any, inside: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
        """Keys and values of a mapping, each key once; what is merged in (``<<``) gives way to what is there."""
        seen: dict[str, int] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += value_node.value if value_node.id == "sequence" else [value_node]
            elif key_node.id != "scalar":
                self._note(key_node, "a key must be a plain word")
            elif key_node.value in seen:
                self._note(key_node, f'"{key_node.value}" is given twice (first in line {seen[key_node.value]})')
            else:
                seen[key_node.value] = key_node.start_mark.line + 1
                yield key_node.value, key_node, value_node
        for other in merged:
            if other.id != "mapping" or other in (node, *inside):
                self._note(node, "what is merged in (<<) must be another mapping")
                continue
            yield from (entry for entry in self._entries(other, (node, *inside)) if entry[0] not in seen)

    def _value(self, node: Any, kind: Any, default: Any, name: str, skip_null: bool) -> Any:
        kind, extras = _unwrapped(kind)
        if _is_structure(kind):
            return self.structure(node, kind() if default is None else default)
        if get_origin(kind) is tuple:
            return self._items(node, get_args(kind)[0], name, skip_null)
        if get_origin(kind) is Mapping:
            return self._mapping(node, get_args(kind)[1], name)
        try:
            return _scalar(node, kind, extras)
        except ValueError as error:
            self._note(node, f"{name}: {error}")
            return default

    def _items(self, node: Any, kind: Any, name: str, skip_null: bool) -> tuple[Any, ...]:
        if node.id != "sequence":
            self._note(node, f"{name}: a list is wanted, such as [a, b]")
            return ()
        wanted = [item for item in node.value if not (skip_null and _is_null(item))]
        inner, _ = _unwrapped(kind)
        if _is_structure(inner):
            return tuple(inner() if _is_null(item) else self.structure(item, inner()) for item in wanted)
        return tuple(self._value(item, kind, None, name, skip_null=False) for item in wanted)

    def _mapping(self, node: Any, kind: Any, name: str) -> dict[str, Any]:
        if node.id != "mapping":
            self._note(node, f"{name}: a mapping of keys to values is wanted")
            return {}
        return {key: self._value(value, kind, None, key, skip_null=False) for key, _, value in self._entries(node)}

    def _note(self, node: Any, text: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, text))


def _is_structure(kind: Any) -> bool:
    return is_dataclass(kind)


def _is_null(node: Any) -> bool:
    return bool(node.id == "scalar" and node.tag == NULL)


def _is_optional(kind: Any) -> bool:
    return isinstance(kind, types.UnionType) or get_origin(kind) is Union


def _unwrapped(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The plain type inside ``X | None`` and ``Annotated[X, ...]``, and the annotations."""
    if _is_optional(kind):
        kind = next(member for member in get_args(kind) if member is not types.NoneType)
    if get_origin(kind) is Annotated:
        inner, *extras = get_args(kind)
        return inner, tuple(extras)
    return kind, ()


def _scalar(node: Any, kind: Any, extras: tuple[Any, ...]) -> Any:
    if node.id != "scalar":
        raise ValueError("a single value is wanted")
    for extra in extras:
        if isinstance(extra, Scalar):
            return extra.read(node.value)
    if kind is str:
        return node.value
    if kind is bool:
        if node.tag != BOOL:
            raise ValueError(f'true or false is wanted, not "{node.value}"')
        return node.value.lower() in {"yes", "true", "on"}
    if node.tag == STR or not re.fullmatch(_NUMBER, node.value):
        raise ValueError(f'a whole number is wanted, not "{node.value}"')
    number = _number(node.value)
    for bounds in extras:
        if not bounds.lo <= number <= bounds.hi:
            raise ValueError(f"a number from {bounds.lo} to {bounds.hi} is wanted, not {number}")
    return number


def _number(text: str) -> int:
    digits = text.replace("_", "").lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    number = int(digits, 8) if octal else int(digits, 0)
    return -number if text.startswith("-") else number


def keys_of(kind: Any) -> dict[str, "Field[Any]"]:
    """The keys of a structure, by the name they have in the document, in the order of the document."""
    declared = [item for item in fields(kind) if not item.metadata.get("internal")]
    return {item.metadata["name"] or item.name: item for item in declared}


def _unknown(name: str, known: Mapping[str, Any], top: Any) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only needed to explain a mistake

    places = [place for place, keys in _places(top) if name in keys]
    near = get_close_matches(name, known, n=1)
    if places:
        return f'unknown key "{name}": it belongs {places[0]}'
    return f'unknown key "{name}"' + (f': did you mean "{near[0]}"?' if near else "")


def _places(kind: Any, place: str = "at the top level") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield place, keys_of(kind)
    for name, declared in keys_of(kind).items():
        inner, _ = _unwrapped(declared.type)
        item = "" if get_origin(inner) is None else " to an item of"
        for candidate in (inner, *get_args(inner)):
            if _is_structure(candidate):
                yield from _places(candidate, f"under{item} {name}".replace("under to", "to"))


# -- writing -----------------------------------------------------------------------------------------------------------


def dump(value: Any) -> str:
    """Write a value as YAML: keys in the order of its type, without those that are to be left out when empty."""
    import yaml  # noqa: PLC0415  see _compose

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(document(value), Dumper=dumper, sort_keys=False, default_flow_style=False, width=4096)
    return text


def document(value: Any) -> dict[str, Any]:
    """Return the plain mapping that ``dump`` writes."""
    plain = {}
    for name, declared in keys_of(type(value)).items():
        item = getattr(value, declared.name)
        if not (declared.metadata["omit"] and _is_empty(item, declared.type)):
            plain[name] = _plain(item, declared.type)
    return plain


def _is_empty(value: Any, kind: Any) -> bool:
    """Whether it may be left out: where None says "not set", a 0 or a false was set on purpose."""
    if _is_optional(kind):
        return value is None
    return bool(value == type(value)()) if _is_structure(value) else not value


def _plain(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    kind, extras = _unwrapped(kind)
    if _is_structure(kind):
        return document(value)
    if get_origin(kind) is tuple:
        return [_plain(item, get_args(kind)[0]) for item in value]
    if get_origin(kind) is Mapping:
        return {name: _plain(item, get_args(kind)[1]) for name, item in value.items()}
    for extra in extras:
        if isinstance(extra, Scalar):
            return extra.write(value)
    return value
