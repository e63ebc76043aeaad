"""HPACK against the examples of RFC 7541, and against an independent implementation."""

import hpack
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from daos_control.net.http2 import huffman
from daos_control.net.http2.headers import STATIC, BadBlock, Decoder, TooMuch, indexed, literal

MOST = 1 << 16
FIRST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")]
SECOND = [*FIRST, (b"cache-control", b"no-cache")]
THIRD = [
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":path", b"/index.html"),
    (b":authority", b"www.example.com"),
    (b"custom-key", b"custom-value"),
]

REQUESTS = {
    "without Huffman (C.3)": (
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ),
    "with Huffman (C.4)": (
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ),
}


@pytest.mark.parametrize("blocks", REQUESTS.values(), ids=REQUESTS.keys())
def test_the_requests_of_the_standard(blocks):
    decoder = Decoder(MOST)
    assert [decoder.decode(bytes.fromhex(block)) for block in blocks] == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", (b"custom-key", b"custom-header")),  # C.2.1
        ("040c2f73616d706c652f70617468", (b":path", b"/sample/path")),  # C.2.2
        ("100870617373776f726406736563726574", (b"password", b"secret")),  # C.2.3
        ("82", (b":method", b"GET")),  # C.2.4
    ],
)
def test_each_kind_of_field(block, field):
    assert Decoder(MOST).decode(bytes.fromhex(block)) == [field]


def test_the_static_table_is_that_of_the_standard():
    assert hpack.hpack.HeaderTable.STATIC_TABLE == STATIC


names = st.binary(min_size=1, max_size=40)
fields = st.lists(st.tuples(names, st.binary(max_size=200)), max_size=12)


@given(st.lists(st.tuples(fields, st.booleans(), st.sampled_from([None, 0, 100, 4096])), max_size=8))
def test_we_read_what_another_implementation_writes(lists):
    encoder, decoder = hpack.Encoder(), Decoder(1 << 20)
    for written, coded, table_size in lists:
        if table_size is not None:
            encoder.header_table_size = table_size
        assert decoder.decode(encoder.encode(written, huffman=coded)) == written


@given(fields)
def test_another_implementation_reads_what_we_write(written):
    block = b"".join(literal(name, value) for name, value in written)
    assert [tuple(field) for field in hpack.Decoder().decode(block, raw=True)] == written


def test_a_value_of_many_lengths_is_written_so_that_others_read_it():
    for size in (0, 126, 127, 128, 254, 255, 16_510, 16_511, 60_000):
        block = indexed(b":status", b"200") + literal(b"x", bytes(size))
        assert hpack.Decoder().decode(block, raw=True) == [(b":status", b"200"), (b"x", bytes(size))]
        assert Decoder(MOST).decode(block) == [(b":status", b"200"), (b"x", bytes(size))]


coder = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@given(st.binary(max_size=300))
def test_huffman_strings(text):
    assert huffman.decode(coder.encode(text)) == text


@pytest.mark.parametrize(
    "coded",
    [
        bytes.fromhex("ffffffff"),  # the code that is no symbol
        bytes.fromhex("00"),  # padded with zeros
        bytes.fromhex("07ffff"),  # more than seven bits of padding
    ],
)
def test_strings_that_are_not_in_the_code(coded):
    with pytest.raises(huffman.BadCode):
        huffman.decode(coded)
    with pytest.raises(BadBlock):
        Decoder(MOST).decode(b"\x00\x01x" + bytes((0x80 | len(coded),)) + coded)


@pytest.mark.parametrize(
    "block",
    [
        "80",  # field 0
        "be",  # a field that was never added
        "40",  # a name that is missing
        "400a63",  # one that is cut
        "ffffffffffffff",  # a number without end
        "3fe11f820a3fe11f",  # a table larger than allowed
        "8220",  # a table resized after a field
        "7f",
    ],
)
def test_blocks_that_mean_nothing(block):
    with pytest.raises(BadBlock):
        Decoder(MOST).decode(bytes.fromhex(block))


def test_a_list_that_is_too_long_costs_only_itself():
    """The entries it added are there for the next one."""
    decoder = Decoder(100)
    added = b"\x40\x01a\x01b"
    with pytest.raises(TooMuch):
        decoder.decode(added + literal(b"x", bytes(100)))
    assert decoder.decode(b"\xbe") == [(b"a", b"b")]


def test_references_to_a_large_entry_are_counted_and_not_kept():
    decoder = Decoder(MOST)
    decoder.decode(b"\x40\x01a" + b"\x7f\xa1\x1e" + bytes(4000))
    with pytest.raises(TooMuch, match="12099"):
        decoder.decode(b"\xbe" * 30)


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_anything_at_all_is_read_or_refused(blocks):
    decoder = Decoder(MOST)
    for block in blocks:
        try:
            decoder.decode(block)
        except BadBlock:
            break
    assert decoder._size <= 4096
    assert decoder._size == sum(len(name) + len(value) + 32 for name, value in decoder._entries)
