"""Plain documents are read as the YAML library reads them, and everything else is left to it."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daos_control.config import plain

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

WORDS = st.sampled_from(
    """
a|localhost|node-1.domain|h1:10001|10.0.0.1|10.0.0.1:10001|1.2.3.4.5|0|007|08|19|10001|1e3|1.5|1_0|0x1f|0b1|0o7|12:30
1:2:3|-5|+5|~|null|Null|nULL|true|True|TRUE|tRue|yes|NO|On|off|y|n|.inf|.5|/etc/daos/x.crt|'quoted'|"quoted"|'10'|''|""
'a b'|'it''s'|"a\\n"|[]|[a]|[a,b]|[a, b]|[a,'b']|[a:1]|['a:1']|[a,|[a|[[a]]|[,]|[a,]|[-]|{}|{a: 1}|-|--|---|...|#|#x|a#b
a:b:|a:|:a|@a|a@b|`a`|%a|!a|!!str|&a|*a|>|?|=|<<|a=b|2001-01-01|20010101|é|a+b|/
""".strip()
    .replace("\n", "|")
    .split("|")
)
KEYS = st.sampled_from(
    ["name", "port", "a", "b", "A_b", "1a", "null", "yes", "on", "<<", "", "'a'", '"a"', "-", "é", "a.b"]
)
INDENTS = st.sampled_from(["", "", "", " ", "  ", "  ", "    ", "\t"])
ENDS = st.sampled_from(["", "", "", "", " ", "  ", " # note", "#", "\r", "\x00", " x"])
LINES = st.one_of(
    st.builds("{}{}: {}{}".format, INDENTS, KEYS, WORDS, ENDS),
    st.builds("{}{}:{}".format, INDENTS, KEYS, ENDS),
    st.builds("{}{}:{}".format, INDENTS, KEYS, WORDS),
    st.builds("{}- {}{}".format, INDENTS, WORDS, ENDS),
    st.builds("{}- {}: {}".format, INDENTS, KEYS, WORDS),
    st.builds(
        "{}{}".format, INDENTS, st.sampled_from(["", "#", "# a: b", "---", "...", "%YAML 1.1", "-", "a", "\x07"])
    ),
)


def shape(node: Any) -> Any:
    if node.id == "scalar":
        return node.tag, node.value, node.start_mark.line if node.tag != plain.NULL else None
    if node.id == "sequence":
        return [shape(item) for item in node.value]
    return [(shape(key), shape(value)) for key, value in node.value]


@settings(max_examples=600)
@given(st.lists(LINES, max_size=7).map("\n".join))
@example("a:\n- b\n- c\nd: [e, 'f:1']\n")
@example("a:\n  b: 1\n  c:\n    d: yes\ne:\nf: null")
def test_what_it_answers_is_what_the_library_answers(text: str) -> None:
    node = plain.compose(text)
    if node is not None:
        assert shape(node) == shape(yaml.compose(text, Loader=LOADER))
        assert shape(plain.compose(text.encode())) == shape(node)


@pytest.mark.parametrize(
    "text",
    [
        "name: daos_server\nport: 10001\nhostlist: ['localhost']\ntransport_config:\n  allow_insecure: true\n",
        "hostlist:\n- 127.64.0.1\n- 127.64.0.2\ntransport_config:\n  ca_cert: /etc/daos/certs/daosCA.crt\n",
        "# the system\n\nname: daos_server\nhostlist: [node1, node2]\n",
    ],
)
def test_ordinary_client_configurations_need_no_library(text: str) -> None:
    node = plain.compose(text)
    assert node is not None
    assert shape(node) == shape(yaml.compose(text, Loader=LOADER))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing", "a", "- a", "a: 'b c'", "a: &x b", "a:\n  - b: c", "a: b # c"]
)
def test_everything_else_is_left_to_the_library(text: str) -> None:
    assert plain.compose(text) is None
