# HTTP/2 towards replicas, clause by clause: whatever a broken or hostile replica sends, the client
# gets a refusal or a visibly cut answer, nothing HTTP/1.1 cannot carry, and the next request is
# answered.

import pytest

from harness.configuration import configuration, service
from harness.frames import (
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, NO_ERROR, PADDED,
    PING, PRIORITY, PUSH, REFUSED, RST, SETTINGS, WINDOW, RawServer, block, frame, number,
    setting)
from harness.gateway import Gateway
from harness.http2 import Client
from harness.messages import Truncated, compose
from harness.wire import Connection

pytestmark = pytest.mark.core


class Scripted:
    """A replica that says what the story has laid out, once; then it behaves."""

    def __init__(self):
        self.pieces = None
        self.server = RawServer(self.answer)
        self.address = self.server.address

    def answer(self, connection, stream):
        pieces, self.pieces = self.pieces, None
        if pieces is None:
            return connection.send(said(stream), body(stream, b"fine"))
        for piece in pieces:
            connection.send(piece(stream) if callable(piece) else piece)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    replica = Scripted()
    made = Gateway(tmp_path_factory.mktemp("h2r"), configuration(
        service(ejection={"failures": 0}, retry={"attempts": 1}, timeouts={"first_byte": "2s"},
                revisions=[{"name": "s", "protocol": "h2", "endpoints": [replica.address]}]),
        gateway={"workers": 1})).start()
    made.replica = replica
    yield made
    made.finish()
    replica.server.stop()


def said(stream, fields=((":status", "200"),), ends=False, flags=END_HEADERS):
    return frame(HEADERS, flags | (END_STREAM if ends else 0), stream, block(fields))


def body(stream, data=b"", ends=True):
    return frame(DATA, END_STREAM if ends else 0, stream, data)


# --- what the client may see -------------------------------------------------------------------


def broken(gateway):
    """502, or an answer that is visibly cut; nothing of what was smuggled. A POST, which is not
    sent again when a connection that was used before fails."""
    with Connection(gateway.address) as client:
        client.send(compose("POST", "/", (), b"x"))
        try:
            answer = client.response()
        except (Truncated, ConnectionResetError, EOFError):
            return
        assert answer.status in (502, 504), answer.status
        assert answer.error in ("replica_reset", "replica_malformed", "first_byte_timeout")
        assert not answer.headers.has("x-smuggled")


def fine(expected=b"fine"):
    def check(gateway):
        with Connection(gateway.address) as client:
            answer = client.request()
            assert (answer.status, answer.body) == (200, expected)
    return check


ok = fine()


def answer(*fields, status="200", data=b"fine"):
    """A whole answer with some fields."""
    return [lambda s: said(s, ((":status", status), *fields)), lambda s: body(s, data)]


def head_of(*fields):
    return [lambda s: said(s, fields), lambda s: body(s, b"fine")]


def good(s):
    return said(s) + body(s, b"fine")


FRAMING = [
    ("4.1 an unknown type is ignored", [frame(0x16, 0, 0, b"abc"), good], ok),
    ("4.1 an unknown type on the stream", [lambda s: frame(0x16, 7, s, b"abc"), good], ok),
    ("4.2 DATA too large", [said, lambda s: frame(DATA, 1, s, bytes(16385))], broken),
    ("4.2 HEADERS too large", [lambda s: frame(HEADERS, 5, s, block([("x", "y" * 17000)]))],
     broken),
    ("4.3 a block that is none", [lambda s: frame(HEADERS, 5, s, b"\x88\xff\xff\xff")], broken),
    ("4.3 DATA within a block", [lambda s: said(s, flags=0) + body(s, b"x")], broken),
    ("4.3 another type within a block", [lambda s: said(s, flags=0) + frame(0x16, 0, s, b"")],
     broken),
]
STATES = [
    ("5.1 DATA before a head", [lambda s: body(s, b"early")], broken),
    ("5.1 DATA on an idle stream", [lambda s: body(s + 2, b"x")], broken),
    ("5.1 a head on an idle stream", [lambda s: said(s + 2)], broken),
    ("5.1 a head on an even stream", [said, lambda s: said(2)], broken),
    ("5.1 DATA behind the end", [good, lambda s: body(s, b"more")], ok),
    ("5.1 a head behind the end", [good, said], ok),
    ("5.1 RST_STREAM of an idle stream", [lambda s: frame(RST, 0, s + 2, number(8))], broken),
    ("5.1 WINDOW_UPDATE of an idle stream", [lambda s: frame(WINDOW, 0, s + 2, number(8))],
     broken),
    ("5.4.2 a reset before the head", [lambda s: frame(RST, 0, s, number(2))], broken),
    ("5.4.2 a reset within the body",
     [said, lambda s: body(s, b"half", False), lambda s: frame(RST, 0, s, number(2))], broken),
    ("5.4.2 NO_ERROR within the body is no end",
     [said, lambda s: body(s, b"half", False), lambda s: frame(RST, 0, s, number(NO_ERROR))],
     broken),
    ("5.4.2 CANCEL before the head", [lambda s: frame(RST, 0, s, number(CANCEL))], broken),
]
FRAMES = [
    ("6.1 DATA on no stream", [frame(DATA, 1, 0, b"x")], broken),
    ("6.1 padding beyond", [said, lambda s: frame(DATA, PADDED | 1, s, b"\x09abc")], broken),
    ("6.1 padding is taken off",
     [said, lambda s: frame(DATA, PADDED | 1, s, b"\x03fine\0\0\0")], ok),
    ("6.2 a head on no stream", [said(0)], broken),
    ("6.3 PRIORITY is ignored", [lambda s: frame(PRIORITY, 0, s, bytes(4) + b"\x10"), good], ok),
    ("6.4 RST_STREAM of a wrong size", [lambda s: frame(RST, 0, s, b"\0")], broken),
    ("6.4 RST_STREAM on no stream", [frame(RST, 0, 0, number(8))], broken),
    ("6.5 SETTINGS on a stream", [lambda s: setting((3, 1), stream=s)], broken),
    ("6.5 SETTINGS of a wrong size", [frame(SETTINGS, 0, 0, b"12345")], broken),
    ("6.5 an ACK with settings", [frame(SETTINGS, ACK, 0, bytes(6))], broken),
    ("6.5.2 a server must not enable push", [setting((2, 1))], broken),
    ("6.5.2 a window too large", [setting((4, 1 << 31))], broken),
    ("6.5.2 a frame too small", [setting((5, 1))], broken),
    ("6.5.2 an unknown setting", [setting((0xABC, 1)), good], ok),
    ("6.5.2 extended CONNECT taken back", [setting((8, 1)), setting((8, 0))], broken),
    ("6.6 a push nobody allowed",
     [lambda s: frame(PUSH, 4, s, number(2) + block([(":method", "GET"), (":scheme", "http"),
                                                     (":path", "/"), (":authority", "x")])), good],
     broken),
    ("6.7 PING on a stream", [lambda s: frame(PING, 0, s, bytes(8))], broken),
    ("6.7 PING of a wrong size", [frame(PING, 0, 0, bytes(7))], broken),
    ("6.7 PING is answered meanwhile", [frame(PING, 0, 0, bytes(8)), good], ok),
    ("6.8 GOAWAY on a stream", [lambda s: frame(GOAWAY, 0, s, bytes(8))], broken),
    ("6.8 GOAWAY lets what is under way end",
     [lambda s: frame(GOAWAY, 0, 0, number(s) + number(0)), good], ok),
    ("6.8 GOAWAY before the stream gives it back",
     [lambda s: frame(GOAWAY, 0, 0, number(max(0, s - 2)) + number(0))], ok),
    ("8.7 a refused stream is given back", [lambda s: frame(RST, 0, s, number(REFUSED))], ok),
    ("6.9 no increment", [frame(WINDOW, 0, 0, number(0))], broken),
    ("6.9 WINDOW_UPDATE of a wrong size", [frame(WINDOW, 0, 0, b"1")], broken),
    ("6.9.1 the connection's window overflows", [frame(WINDOW, 0, 0, number((1 << 31) - 1))],
     broken),
    ("6.9.1 a stream's window overflows", [lambda s: frame(WINDOW, 0, s, number((1 << 31) - 1))],
     broken),
    ("6.9.1 more than the window holds",
     [said, *[lambda s: frame(DATA, 0, s, bytes(16384)) for _ in range(2000)]], broken),
    ("6.10 a head in pieces",
     [lambda s: frame(HEADERS, 0, s, block([(":status", "200")]))
      + frame(CONTINUATION, 0, s, block([("x", "1")])) + frame(CONTINUATION, 4, s, b""),
      lambda s: body(s, b"fine")], ok),
    ("6.10 CONTINUATION of another stream",
     [lambda s: said(s, flags=0) + frame(CONTINUATION, 4, s + 2, b"")], broken),
    ("6.10 CONTINUATION alone", [lambda s: frame(CONTINUATION, 4, s, block([("x", "1")]))],
     broken),
    ("6.10 CONTINUATION without end", [lambda s: said(s, flags=0) + b"".join(
        frame(CONTINUATION, 0, s, block([("x", "y" * 10_000)])) for _ in range(40))], broken),
]
MESSAGES = [
    ("8.1 an interim answer before the final one",
     [lambda s: said(s, ((":status", "103"), ("link", "</a>"))), good], ok),
    ("8.1 an interim answer that ends", [lambda s: said(s, ((":status", "103"),), ends=True)],
     broken),
    ("8.1 101", [lambda s: said(s, ((":status", "101"),)), good], broken),
    ("8.1 trailers that do not end", [said, lambda s: said(s, (("x-sum", "1"),))], broken),
    ("8.1 trailers end an answer",
     [said, lambda s: body(s, b"fine", False), lambda s: said(s, (("x-sum", "1"),), ends=True)],
     ok),
    ("8.1 pseudo-fields in trailers",
     [said, lambda s: body(s, b"fine", False), lambda s: said(s, ((":status", "200"),), ends=True)],
     broken),
    ("8.2.1 an upper-case name", answer(("X-Thing", "1")), broken),
    ("8.2.1 an empty name", answer(("", "1")), broken),
    *[(f"8.2.1 {byte:#x} in a name", answer((f"x{chr(byte)}y", "1")), broken)
      for byte in (0x00, 0x0A, 0x0D, 0x20, 0x3A, 0x7F, 0x80)],
    *[(f"8.2.1 {byte:#x} in a value", answer(("x", f"a{chr(byte)}b")), broken)
      for byte in (0x00, 0x0A, 0x0D)],
    ("8.2.1 a split answer", answer(("x", "a\r\nx-smuggled: 1")), broken),
    ("8.2.1 a whole answer in a value",
     answer(("x", "a\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\nx-smuggled: 1")), broken),
    *[(f"8.2.2 {name}", answer((name, value)), broken) for name, value in (
        ("connection", "close"), ("keep-alive", "1"), ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"))],
    ("8.3 an unknown pseudo-field", answer((":test", "1")), broken),
    ("8.3 a pseudo-field of requests", answer((":path", "/")), broken),
    ("8.3 a pseudo-field behind a field", head_of(("x", "1"), (":status", "200")), broken),
    ("8.3.2 without :status", head_of(("x", "1")), broken),
    ("8.3.2 :status twice", answer((":status", "200")), broken),
    *[(f"8.3.2 :status {value!r}", answer(status=value), broken)
      for value in ("", "20", "2000", "abc", "099", "600", "2 0", "200 OK", "+20", "-20")],
    ("8.1.1 more than announced", answer(("content-length", "2")), broken),
    ("8.1.1 less than announced", answer(("content-length", "9")), broken),
    ("8.1.1 announced and absent",
     [lambda s: said(s, ((":status", "200"), ("content-length", "4")), ends=True)], broken),
    ("8.1.1 as announced", answer(("content-length", "4")), ok),
    *[(f"8.1.1 content-length {value!r}", answer(("content-length", value)), broken)
      for value in ("+4", "-4", "0x4", "4 4", "4,4", "", "99999999999999999999")],
    ("8.1.1 content-length twice", answer(("content-length", "4"), ("content-length", "4")),
     broken),
    ("8.1.1 two lengths", answer(("content-length", "4"), ("content-length", "5")), broken),
]
PACKING = [
    ("2.3.3 an index behind both tables", [lambda s: frame(HEADERS, 5, s, b"\x88\xfe")], broken),
    ("4.2 a size update behind a field", [lambda s: frame(HEADERS, 5, s, b"\x88\x20")], broken),
    ("6.1 index 0", [lambda s: frame(HEADERS, 5, s, b"\x88\x80")], broken),
    ("6.3 a table larger than allowed",
     [lambda s: frame(HEADERS, 5, s, b"\x3f\xe2\x1f\x88")], broken),
]


def named(rfc, cases):
    return [pytest.param(pieces, check, id=f"RFC {rfc} {name}") for name, pieces, check in cases]


CLAUSES = [*named(9113, FRAMING), *named(9113, STATES), *named(9113, FRAMES),
           *named(9113, MESSAGES), *named(7541, PACKING)]


@pytest.mark.parametrize("pieces,check", CLAUSES)
def test_clause(gateway, pieces, check):
    gateway.replica.pieces = pieces
    check(gateway)
    assert gateway.replica.pieces is None, "the story was told"
    assert gateway.get("/").body == b"fine"


@pytest.mark.parametrize("pieces,check", [
    param for param in CLAUSES if param.values[1] is broken])
def test_clause_seen_over_http2(gateway, pieces, check):
    gateway.replica.pieces = pieces
    with Client(gateway.address) as client:
        got = client.request("POST", "/", {}, b"x")
        assert got.reset is not None or got.status in (502, 504) and got.error
        assert not got.headers.has("x-smuggled")
        assert client.request().body == b"fine"


@pytest.mark.parametrize("name,passes", [
    ("x-sum", True), ("grpc-status", True), *[(name, False) for name in (
        "set-cookie", "content-type", "content-encoding", "www-authenticate", "trailer", "age",
        "x-penstock-error", "x-request-id", "cache-control", "location")]])
def test_RFC_9110_6_5_1_only_what_belongs_there_passes_in_trailers(gateway, name, passes):
    gateway.replica.pieces = [
        said, lambda s: body(s, b"fine", False), lambda s: said(s, ((name, "1"),), ends=True)]
    with Connection(gateway.address) as client:
        answer = client.request()
    assert (answer.status, answer.body) == (200, b"fine")
    assert answer.trailers.has(name) == passes
    assert not (answer.headers.get(name) == "1")
