"""The fault table is complete, says something for every code, and is used with the facts it asks for."""

import ast
import re
import string
from pathlib import Path

import pytest

from daos_control.base.errors import DaosError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.fault_words import TABLE

SOURCE = Path(__file__).resolve().parents[3] / "src" / "daos_control"
BLOCKS = {
    0: 6,
    100: 107,
    200: 216,
    300: 319,
    400: 403,
    500: 511,
    600: 623,
    700: 740,
    800: 804,
    900: 903,
    1000: 1001,
    1100: 1103,
}
ROWS = [(code, row) for code in FaultCode for row in TABLE[code.name]]


def test_every_number_of_daos_has_a_code():
    wanted = {number for first, last in BLOCKS.items() for number in range(first, last + 1)}
    assert {int(code) for code in FaultCode} == wanted


def test_every_code_has_a_row_and_no_row_is_superfluous():
    assert list(TABLE) == [code.name for code in FaultCode]


def test_rows_say_what_happened_and_what_to_do():
    for code, row in ROWS:
        for text in (row.description, row.resolution):
            assert text.strip(), code.name
            assert not text.endswith("."), code.name
        assert re.fullmatch(r"[a-z]+", row.domain), code.name


def test_the_facts_of_a_row_are_those_its_words_use_and_each_is_explained():
    for code, row in ROWS:
        fields = [*string.Formatter().parse(row.description), *string.Formatter().parse(row.resolution)]
        assert {name for _, name, _, _ in fields if name is not None} == row.facts.keys(), code.name
        assert all(row.facts.values()), code.name


def test_every_row_can_be_told():
    for code, row in ROWS:
        fault = code.fault(**dict.fromkeys(row.facts, 4 << 30))
        assert (fault.code, fault.domain) == (code, row.domain)
        assert "{" not in fault.description + fault.resolution


def test_rows_of_one_code_are_told_apart_by_their_facts():
    for name, rows in TABLE.items():
        assert len({frozenset(row.facts) for row in rows}) == len(rows), name


DOMAINS = {
    FaultCode.SOCKET_FILE_IN_USE: "drpc",
    FaultCode.STORAGE_ALREADY_FORMATTED: "scm",
    FaultCode.STORAGE_TARGET_ALREADY_MOUNTED: "storage",
    FaultCode.SCM_RAMDISK_LOW_MEM: "storage",
    FaultCode.BDEV_NOT_FOUND: "storage",
    FaultCode.BDEV_FORMAT_FAILURE: "bdev",
    FaultCode.SYSTEM_POOL_LOCKED: "system",
    FaultCode.CLIENT_RPC_TIMEOUT: "client",
    FaultCode.SERVER_WRONG_SYSTEM: "server",
    FaultCode.SERVER_CONFIG_INVALID_NET_DEV_CLASS: "serverconfig",
    FaultCode.SERVER_CONFIG_RAMDISK_UNDER_MIN_MEM: "storage",
    FaultCode.SPDK_INVALID_CONFIGURATION: "storage",
    FaultCode.SECURITY_INVALID_CERT: "security",
    FaultCode.CONTROL_METADATA_BAD_FILESYSTEM: "controlmetadata",
    FaultCode.SYSTEM_CHECKER_ENABLED: "checker",
}


def test_domains_are_those_of_daos():
    for code, domain in DOMAINS.items():
        assert {row.domain for row in TABLE[code.name]} == {domain}, code.name


def test_facts_appear_in_the_words():
    fault = FaultCode.SERVER_POOL_SCM_TOO_SMALL.fault(per_target=16 << 20, total=4 << 30, scm=1 << 30)
    assert "16 MiB" in fault.description
    assert "4.0 GiB" in fault.resolution


def test_several_situations_of_one_code_have_their_own_words():
    few = FaultCode.SYSTEM_JOIN_REPLACE_RANK_NOT_FOUND.fault(rank=1, difference="its URI")
    many = FaultCode.SYSTEM_JOIN_REPLACE_RANK_NOT_FOUND.fault(rank=1, differences="all")
    assert few == many
    assert few.resolution != many.resolution


def test_missing_or_extra_facts_are_refused_with_those_wanted():
    with pytest.raises(TypeError, match=r"SERVER_POOL_DUPLICATE_LABEL is told with the facts \(label\), not \(pool\)"):
        FaultCode.SERVER_POOL_DUPLICATE_LABEL.fault(pool="tank")


def test_values_are_never_read_as_templates():
    assert "{0}" in FaultCode.SERVER_POOL_DUPLICATE_LABEL.fault(label="{0}").description


def test_a_fault_prints_in_the_form_that_tools_match():
    fault = Fault("my: domain", 7, 'a "b"\n', resolution="do c")
    assert str(fault) == r'my_domain: code = 7 description = "a \"b\"\n"'
    assert fault.resolution_line() == 'my_domain: code = 7 resolution = "do c"'
    assert str(Fault("", 0, "")) == 'unknown: code = 0 description = "unknown fault"'
    assert Fault("", 0, "").resolution_line() == 'unknown: code = 0 resolution = "no known resolution"'


def test_faults_are_compared_by_code():
    assert Fault("a", 7, "x") == Fault("b", 7, "y")
    assert Fault("a", 7, "x") != Fault("a", 8, "x")


def _uses() -> list[tuple[str, FaultCode, frozenset[str]]]:
    """Every ``FaultCode.X.fault(...)`` in the sources: where it stands, and the facts it gives."""
    uses = []
    for path in sorted(SOURCE.rglob("*.py")):
        if "wire/pb" in str(path):
            continue
        text = path.read_text()
        if "FaultCode." not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="FaultCode"), attr=name), attr="fault"),
                    keywords=keywords,
                ):
                    if all(keyword.arg for keyword in keywords):
                        facts = frozenset(keyword.arg for keyword in keywords if keyword.arg) - {"reason"}
                        uses.append((f"{path.relative_to(SOURCE)}:{node.lineno}", FaultCode[name], facts))
    return uses


def test_faults_are_raised_with_the_facts_they_need():
    uses = _uses()
    wrong = [
        f"{place}: {code.name} is told with ({', '.join(sorted(facts))})"
        for place, code, facts in uses
        if facts not in {frozenset(row.facts) for row in TABLE[code.name]}
    ]
    assert uses
    assert not wrong


def test_memory_that_is_nearly_enough_is_not_told_as_enough():
    gib = 1 << 30
    low = FaultCode.SCM_RAMDISK_LOW_MEM.fault(required=19 * gib + gib // 4, available=19 * gib)
    assert "need 19.25 GiB of memory, and this host has 19.00 GiB to give" in low.description
    large = FaultCode.SERVER_CONFIG_RAMDISK_OVER_MAX_MEM.fault(size=22 * gib, smallest=4 * gib, largest=22 * gib - 1)
    assert "a RAM disk of 22 GiB is more than this host's memory allows, which is 21 GiB" in large.description
    assert "between 4 GiB and 21 GiB" in large.resolution


def test_the_gist_of_a_fault_is_what_happened_without_its_number() -> None:
    assert Fault("server", 7, "it is broken").gist == "it is broken"
    assert Fault("server", 7, "").gist == str(Fault("server", 7, ""))
    assert DaosError(-1007).gist == str(DaosError(-1007))
