# HTTP/2 towards clients, clause by clause: what RFC 9113 and RFC 7541 forbid is answered with the
# error they name, what they allow is served, and nothing that is malformed reaches a replica.

import pytest

from harness.configuration import configuration, service
from harness.frames import (
    ACK, CALM, CLOSED, COMPRESSION, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW, GET, GOAWAY,
    HEADERS, NO_ERROR, PADDED, PING, POST, PREFACE, PRIORITISED, PRIORITY, PROTOCOL, PUSH, REFUSED,
    RST, SETTINGS, SIZE, WINDOW, RawClient, block, frame, head, number, setting)
from harness.gateway import Gateway
from harness.origin import Origin, echo

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    origin = Origin(echo)
    made = Gateway(tmp_path_factory.mktemp("h2"), configuration(service(origin))).start()
    made.origin = origin
    yield made
    made.finish()
    origin.stop()
    assert not origin.faults, origin.faults


# --- what may be expected ----------------------------------------------------------------------


def fatal(*codes):
    """The connection ends, with a reason."""
    def check(client, gateway):
        seen = client.rest()
        told = [got.code for got in seen if got.kind == GOAWAY and got.code != NO_ERROR]
        assert told and told[0] in codes, (told, codes)
    return check


def broken(*codes, stream=1):
    """The stream is reset and its connection lives, or the whole connection ends for it."""
    def check(client, gateway):
        got = client.until(lambda got: got.kind == GOAWAY or got.kind == RST)
        assert got.code in codes, (got.code, codes)
        if got.kind == RST:
            assert got.stream == stream
            alive(client)
    return check


def refused(client, gateway):
    """A malformed request: reset, or answered with 4xx, and never passed on."""
    before = len(gateway.origin.requests)
    got = client.until(lambda got: got.kind == GOAWAY or got.stream == 1 and (
        got.kind == RST or got.ends))
    if got.kind in (RST, GOAWAY):
        assert got.code in (PROTOCOL, REFUSED, CALM), got.code
    if 1 in client.heads:
        assert 400 <= client.status(1) < 500 if not got.ends else \
            dict(client.heads[1][0])[":status"][0] == "4"
    alive(client)
    # The request that shows life is the only one that arrived.
    assert len(gateway.origin.requests) <= before + 1
    assert all(request.target == "/alive" for request in gateway.origin.requests[before:])


def served(*streams):
    def check(client, gateway):
        for stream in streams:
            assert client.status(stream) == 200
        alive(client)
    return check


def alive(client, stream=99):
    client.send(head(stream, GET[:3] + ((":path", "/alive"),)))
    assert client.status(stream) == 200


ok = served(1)
lives = served()


# --- requests with something wrong or odd ------------------------------------------------------


def with_fields(*pairs, start=GET):
    return [head(1, start + pairs)]


def without(name, start=GET):
    return [head(1, tuple(pair for pair in start if pair[0] != name))]


def instead(name, value):
    return [head(1, tuple((key, value if key == name else old) for key, old in GET))]


def upload(declared, *sizes):
    fields = POST + tuple(("content-length", value) for value in declared)
    pieces = [frame(DATA, END_STREAM if place == len(sizes) - 1 else 0, 1, b"x" * size)
              for place, size in enumerate(sizes)]
    return [head(1, fields, ends=not sizes), *pieces]


def packed(data):
    return [frame(HEADERS, END_HEADERS | END_STREAM, 1, data)]


OPEN = head(1, POST, ends=False)
DONE = head(1)
INDEXED = b"\x82\x86\x84\x41\x0atest.local"

FRAMING = [
    ("4.1 an unknown type is ignored", [frame(0x16, 0, 0, b"abc"), DONE], ok),
    ("4.1 an undefined flag is ignored", [frame(PING, 0x16, 0, b"12345678"), DONE], ok),
    ("4.1 the reserved bit is ignored", [frame(PING, 0, 1 << 31, b"12345678"), DONE], ok),
    ("4.2 16 KiB are a frame", [OPEN, frame(DATA, END_STREAM, 1, b"x" * 16384)], ok),
    ("4.2 DATA beyond", [OPEN, frame(DATA, 1, 1, bytes(16385))], broken(SIZE)),
    ("4.2 HEADERS beyond", [frame(HEADERS, 5, 1, block(GET) + bytes(17000))], fatal(SIZE)),
    ("4.2 SETTINGS beyond", [frame(SETTINGS, 0, 0, bytes(16386))], fatal(SIZE)),
    ("4.3 a block that is none", packed(b"\x82\x86\x84\xff\xff\xff"), fatal(COMPRESSION)),
    ("4.3 PRIORITY within a block", [head(flags=0), frame(PRIORITY, 0, 1, bytes(4) + b"\x10")],
     fatal(PROTOCOL)),
    ("4.3 another head within a block", [head(flags=0), head(3)], fatal(PROTOCOL)),
    ("4.3 DATA within a block", [head(1, POST, False, 0), frame(DATA, 1, 1, b"x")],
     fatal(PROTOCOL)),
    ("4.3 an unknown type within a block", [head(flags=0), frame(0x16, 0, 0, b"x")],
     fatal(PROTOCOL)),
    ("4.3 PING within a block", [head(flags=0), frame(PING, 0, 0, bytes(8))], fatal(PROTOCOL)),
]
STATES = [
    ("5.1 idle: DATA", [frame(DATA, 1, 1, b"x")], fatal(PROTOCOL, CLOSED)),
    ("5.1 idle: RST_STREAM", [frame(RST, 0, 1, number(8))], fatal(PROTOCOL)),
    ("5.1 idle: WINDOW_UPDATE", [frame(WINDOW, 0, 1, number(100))], fatal(PROTOCOL)),
    ("5.1 idle: CONTINUATION", [frame(CONTINUATION, 4, 1, b"")], fatal(PROTOCOL)),
    ("5.1 half closed: DATA", [DONE, frame(DATA, 1, 1, b"x")], broken(CLOSED)),
    ("5.1 half closed: HEADERS", [DONE, DONE], broken(CLOSED)),
    ("5.1 half closed: CONTINUATION", [DONE, frame(CONTINUATION, 4, 1, b"")],
     fatal(PROTOCOL, CLOSED)),
    ("5.1 half closed: WINDOW_UPDATE is fine", [DONE, frame(WINDOW, 0, 1, number(100))], ok),
    ("5.1 closed by reset: DATA", [OPEN, frame(RST, 0, 1, number(8)), frame(DATA, 1, 1, b"x")],
     broken(CLOSED)),
    ("5.1 closed by reset: HEADERS", [OPEN, frame(RST, 0, 1, number(8)), DONE], broken(CLOSED)),
    ("5.1 closed by reset: WINDOW_UPDATE is fine",
     [OPEN, frame(RST, 0, 1, number(8)), frame(WINDOW, 0, 1, number(1))], lives),
    ("5.1 closed by reset: PRIORITY is fine",
     [OPEN, frame(RST, 0, 1, number(8)), frame(PRIORITY, 0, 1, bytes(4) + b"\x10")], lives),
    ("5.1.1 an even stream", [head(2)], fatal(PROTOCOL)),
    ("5.1.1 a smaller stream", [head(5), head(3)], fatal(PROTOCOL, CLOSED)),
    ("5.1.2 more streams than allowed",
     [head(2 * place + 1, POST, ends=False) for place in range(129)],
     broken(REFUSED, PROTOCOL, stream=257)),
    ("5.3.2 a head that depends on itself",
     [frame(HEADERS, 5 | PRIORITISED, 1, number(1) + b"\x10" + block(GET))], broken(PROTOCOL)),
    ("5.3.2 a stream that depends on itself", [frame(PRIORITY, 0, 1, number(1) + b"\x10")],
     broken(PROTOCOL)),
]
FRAMES = [
    ("6.1 DATA on no stream", [frame(DATA, 1, 0, b"x")], fatal(PROTOCOL)),
    ("6.1 padding as long as the frame", [OPEN, frame(DATA, PADDED | 1, 1, b"\x05abcd")],
     fatal(PROTOCOL)),
    ("6.1 padding is taken off", [OPEN, frame(DATA, PADDED | 1, 1, b"\x02ab\0\0")], ok),
    ("6.1 padded and empty", [OPEN, frame(DATA, PADDED | 1, 1, b"")], fatal(SIZE, PROTOCOL)),
    ("6.2 HEADERS on no stream", [head(0)], fatal(PROTOCOL)),
    ("6.2 padding beyond the head",
     [frame(HEADERS, 5 | PADDED, 1, b"\xff" + block(GET)[:20])], fatal(PROTOCOL)),
    ("6.2 padding of a head is taken off",
     [frame(HEADERS, 5 | PADDED, 1, b"\x03" + block(GET) + bytes(3))], ok),
    ("6.2 a priority too short", [frame(HEADERS, 5 | PRIORITISED, 1, b"\0")],
     fatal(SIZE, PROTOCOL)),
    ("6.3 PRIORITY on no stream", [frame(PRIORITY, 0, 0, bytes(4) + b"\x10")], fatal(PROTOCOL)),
    ("6.3 PRIORITY of a wrong size", [OPEN, frame(PRIORITY, 0, 1, b"\x80\0\0\1")], broken(SIZE)),
    ("6.4 RST_STREAM on no stream", [frame(RST, 0, 0, number(8))], fatal(PROTOCOL)),
    ("6.4 RST_STREAM of a wrong size", [OPEN, frame(RST, 0, 1, bytes(3))], fatal(SIZE)),
    ("6.5 an ACK with settings", [frame(SETTINGS, ACK, 0, bytes(6))], fatal(SIZE)),
    ("6.5 SETTINGS on a stream", [setting((3, 100), stream=1)], fatal(PROTOCOL)),
    ("6.5 SETTINGS of a wrong size", [frame(SETTINGS, 0, 0, bytes(5))], fatal(SIZE)),
    ("6.5.2 ENABLE_PUSH 2", [setting((2, 2))], fatal(PROTOCOL)),
    ("6.5.2 a window too large", [setting((4, 1 << 31))], fatal(FLOW)),
    ("6.5.2 a frame too small", [setting((5, 16383))], fatal(PROTOCOL)),
    ("6.5.2 a frame too large", [setting((5, 1 << 24))], fatal(PROTOCOL)),
    ("6.5.2 an unknown setting", [setting((0xABCD, 7)), DONE], ok),
    ("6.5.2 extended CONNECT 2", [setting((8, 2))], fatal(PROTOCOL)),
    ("6.5.3 the last of equal settings counts", [setting((4, 0), (4, 70_000)), DONE], ok),
    ("6.6 PUSH_PROMISE by a client", [frame(PUSH, 4, 1, number(2) + block(GET))],
     fatal(PROTOCOL)),
    ("6.7 PING on a stream", [frame(PING, 0, 1, bytes(8))], fatal(PROTOCOL)),
    ("6.7 PING of a wrong size", [frame(PING, 0, 0, bytes(6))], fatal(SIZE)),
    ("6.7 an answer nobody waits for", [frame(PING, ACK, 0, bytes(8)), DONE], ok),
    ("6.8 GOAWAY on a stream", [frame(GOAWAY, 0, 1, bytes(8))], fatal(PROTOCOL)),
    ("6.8 GOAWAY too short", [frame(GOAWAY, 0, 0, bytes(7))], fatal(SIZE)),
    ("6.9 no increment", [frame(WINDOW, 0, 0, number(0))], fatal(PROTOCOL)),
    ("6.9 no increment on a stream", [OPEN, frame(WINDOW, 0, 1, number(0))], broken(PROTOCOL)),
    ("6.9 WINDOW_UPDATE of a wrong size", [frame(WINDOW, 0, 0, bytes(3))], fatal(SIZE)),
    ("6.9.1 the connection's window overflows", [frame(WINDOW, 0, 0, number((1 << 31) - 1))],
     fatal(FLOW)),
    ("6.9.1 a stream's window overflows", [OPEN, frame(WINDOW, 0, 1, number((1 << 31) - 1))],
     broken(FLOW)),
    ("6.9.1 more data than a window holds",
     [OPEN, *[frame(DATA, 0, 1, bytes(16384)) for _ in range(80)]], "overrun"),
    ("6.9.2 settings overflow a stream's window",
     [OPEN, frame(WINDOW, 0, 1, number(1 << 30)), setting((4, (1 << 31) - 1))],
     broken(FLOW)),
    ("6.10 a head in many pieces",
     [frame(HEADERS, END_STREAM, 1, block(GET[:1])),
      *[frame(CONTINUATION, 0, 1, block((pair,))) for pair in GET[1:]],
      frame(CONTINUATION, END_HEADERS, 1, b"")], ok),
    ("6.10 CONTINUATION on no stream", [head(flags=0), frame(CONTINUATION, 4, 0, b"")],
     fatal(PROTOCOL)),
    ("6.10 CONTINUATION of another stream", [head(flags=0), frame(CONTINUATION, 4, 3, b"")],
     fatal(PROTOCOL)),
    ("6.10 CONTINUATION behind a whole head", [OPEN, frame(CONTINUATION, 4, 1, block(GET))],
     fatal(PROTOCOL)),
    ("6.10 CONTINUATION behind DATA",
     [OPEN, frame(DATA, 0, 1, b"x"), frame(CONTINUATION, 4, 1, b"")], fatal(PROTOCOL)),
    ("7 an unknown code resets a stream", [OPEN, frame(RST, 0, 1, number(0xABCD))], lives),
]
MESSAGES = [
    ("8.1 trailers that do not end", [OPEN, head(1, (("x-sum", "1"),), ends=False)],
     refused),
    ("8.1 trailers end a request", [OPEN, frame(DATA, 0, 1, b"x"), head(1, (("x-sum", "1"),))],
     ok),
    ("8.1 pseudo-fields in trailers", [OPEN, head(1, ((":path", "/other"),))], refused),
    ("8.2.1 an upper-case name", with_fields(("X-Thing", "1")), refused),
    ("8.2.1 an empty name", with_fields(("", "1")), refused),
    *[(f"8.2.1 {byte:#x} in a name", with_fields((f"x{chr(byte)}y", "1")), refused)
      for byte in (0x00, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x3A, 0x7F, 0x80, 0xFF)],
    *[(f"8.2.1 {byte:#x} in a value", with_fields(("x", f"a{chr(byte)}b")), refused)
      for byte in (0x00, 0x0A, 0x0D)],
    ("8.2.1 CRLF in a value", with_fields(("x", "a\r\nx-smuggled: 1")), refused),
    *[(f"8.2.1 a value {where} with a space", with_fields(("x", value)), refused)
      for where, value in (("begins", " a"), ("ends", "a "), ("begins, as a tab,", "\ta"))],
    *[(f"8.2.2 {name}", with_fields((name, value)), refused) for name, value in (
        ("connection", "keep-alive"), ("keep-alive", "1"), ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"))],
    ("8.2.2 TE other than trailers", with_fields(("te", "trailers, deflate")), refused),
    ("8.2.2 TE trailers", with_fields(("te", "trailers")), ok),
    ("8.2.3 cookies in pieces", with_fields(("cookie", "a=1"), ("cookie", "b=2")), ok),
    ("8.3 an unknown pseudo-field", with_fields((":test", "1")), refused),
    ("8.3 a pseudo-field of answers", with_fields((":status", "200")), refused),
    ("8.3 a pseudo-field behind a field", [head(1, GET[:3] + (("x", "1"),) + GET[3:])], refused),
    *[(f"8.3.1 {pair[0]} twice", with_fields(pair), refused) for pair in GET],
    *[(f"8.3.1 without {name}", without(name), refused)
      for name in (":method", ":scheme", ":path")],
    ("8.3.1 neither :authority nor Host", without(":authority"), refused),
    ("8.3.1 Host alone", [head(1, GET[:2] + GET[3:] + (("host", "test.local"),))], ok),
    ("8.3.1 Host says otherwise", with_fields(("host", "other.local")), refused),
    ("8.3.1 Host says the same", with_fields(("host", "test.local")), ok),
    *[(f"8.3.1 :path {value!r}", instead(":path", value), refused) for value in (
        "", "x", "//\r\n", "/ HTTP/1.1\r\nx: ", "/a b", "/\0", "/#a", "http://test.local/", "*")],
    *[(f"8.3.1 :authority {value!r}", instead(":authority", value), refused) for value in (
        "a b", "a\r\nx: 1", "user@test.local", "test.local/", "test.local:x", "a\0b")],
    *[(f"8.3.1 :method {value!r}", instead(":method", value), refused) for value in (
        "", "GE T", "GET\r\n", "GET /x HTTP/1.1\r\nx: ")],
    *[(f"8.3.1 :scheme {value!r}", instead(":scheme", value), refused) for value in (
        "", "h ttp", "http://x", "ftp")],
    ("8.5 CONNECT with a path", [head(1, ((":method", "CONNECT"),) + GET[1:])], refused),
    ("8.5 CONNECT to elsewhere", [head(1, ((":method", "CONNECT"), GET[2]))], "not implemented"),
    ("8.1.1 more than announced", upload(["1"], 5), refused),
    ("8.1.1 less than announced", upload(["10"], 5), refused),
    ("8.1.1 less, in pieces", upload(["10"], 3, 3), refused),
    ("8.1.1 announced and absent", upload(["5"]), refused),
    ("8.1.1 as announced", upload(["8"], 3, 5), ok),
    *[(f"8.1.1 content-length {value!r}", upload([value], 5), refused)
      for value in ("+5", "-5", "0x5", "5 5", "5,5", "", "99999999999999999999")],
    ("8.1.1 content-length twice", upload(["5", "5"], 5), refused),
    ("8.1.1 two lengths", upload(["5", "6"], 5), refused),
]
PACKING = [
    ("2.3.3 an index behind both tables", packed(INDEXED + b"\xc6"), fatal(COMPRESSION)),
    ("4.2 a size update behind a field", packed(INDEXED + b"\x20"), fatal(COMPRESSION)),
    ("4.2 a size update before all fields", packed(b"\x20" + INDEXED), ok),
    ("5.1 an integer without end", packed(INDEXED + b"\xff" + b"\x80" * 20), fatal(COMPRESSION)),
    ("5.2 Huffman padding longer than seven bits", packed(INDEXED + b"\x00\x85\xf2\xb2\x4a\x87"
     b"\xff\xff\xff\x81\x1f"), fatal(COMPRESSION)),
    ("5.2 Huffman padding with zeros", packed(INDEXED + b"\x00\x83\xf2\xb2\x40\x81\x1f"),
     fatal(COMPRESSION)),
    ("5.2 Huffman with the end of string", packed(INDEXED + b"\x00\x88\xf2\xb2\x4a\x87\xff\xff"
     b"\xff\xff\x81\x1f"), fatal(COMPRESSION)),
    ("5.2 a string longer than the block", packed(INDEXED + b"\x00\x7f\x10a"),
     fatal(COMPRESSION)),
    ("6.1 index 0", packed(INDEXED + b"\x80"), fatal(COMPRESSION)),
    ("6.3 a table larger than allowed", packed(b"\x3f\xe2\x1f" + INDEXED), fatal(COMPRESSION)),
]


def named(rfc, cases):
    return [pytest.param(pieces, check, id=f"RFC {rfc} {name}") for name, pieces, check in cases]


@pytest.mark.parametrize("pieces,check", [
    *named(9113, FRAMING), *named(9113, STATES), *named(9113, FRAMES), *named(9113, MESSAGES),
    *named(7541, PACKING)])
def test_clause(gateway, pieces, check):
    with RawClient(gateway.address) as client:
        client.until(lambda got: got.kind == SETTINGS and got.flags & ACK)
        try:
            client.send(*pieces)
        except OSError:
            pass  # It ended before all was sent; what it said is still to be read.
        if check == "overrun":
            overrun(client)
        elif check == "not implemented":
            assert client.status(1) == 501
            alive(client)
        else:
            check(client, gateway)


def overrun(client):
    """What a replica takes slowly: the window is 256 KiB, so 1.3 MB at once break it, unless the
    replica took them meanwhile and the window was opened again."""
    got = client.until(lambda got: got.kind in (RST, GOAWAY, WINDOW))
    assert got.kind == WINDOW or got.code == FLOW


# --- what is no single table row ---------------------------------------------------------------


def test_RFC_9113_3_4_the_gateway_begins_with_its_settings(gateway):
    with RawClient(gateway.address) as client:
        first = client.next()
        assert first.kind == SETTINGS and not first.flags & ACK


@pytest.mark.parametrize("said", [
    PREFACE[:-1] + b"X" + setting(), PREFACE + frame(PING, 0, 0, bytes(8)), PREFACE + head()])
def test_RFC_9113_3_4_a_preface_that_is_none_ends_the_connection(gateway, said):
    with RawClient(gateway.address, hello=False) as client:
        client.send(said)
        seen = client.rest()
        assert all(got.kind != HEADERS for got in seen)


def test_RFC_9113_6_5_3_settings_are_acknowledged(gateway):
    with RawClient(gateway.address) as client:
        client.send(setting((4, 100_000)), setting((4, 70_000)))
        for _ in range(3):
            client.until(lambda got: got.kind == SETTINGS and got.flags & ACK)


def test_RFC_9113_6_7_a_ping_is_answered_with_its_bytes(gateway):
    with RawClient(gateway.address) as client:
        client.pinged(b"\x00\xffping!!")


def test_RFC_9113_6_9_windows_are_kept_to_the_byte(gateway):
    with RawClient(gateway.address, settings=[(4, 1)]) as client:
        client.send(DONE)
        client.until(lambda got: got.kind == DATA)
        sizes = [len(got.payload) for got in client.pinged() if got.kind == DATA]
        assert sizes == [1]
        client.send(setting((4, 3)))
        client.until(lambda got: got.kind == DATA)
        assert [len(g.payload) for g in client.pinged() if g.kind == DATA] == [1, 2]
        # Below zero: nothing comes until it is above again.
        client.send(setting((4, 0)), frame(WINDOW, 0, 1, number(2)))
        assert [len(g.payload) for g in client.pinged() if g.kind == DATA] == [1, 2]
        client.send(setting((4, 100_000)))
        assert client.status(1) == 200


def test_RFC_9113_6_8_requests_under_way_survive_a_goodbye(gateway):
    with RawClient(gateway.address) as client:
        client.send(OPEN, frame(GOAWAY, 0, 0, number(0) + number(NO_ERROR)))
        client.send(frame(DATA, END_STREAM, 1, b"body"))
        assert client.status(1) == 200


def test_RFC_9113_8_1_a_body_that_is_refused_early_is_not_an_error(gateway):
    with RawClient(gateway.address) as client:
        client.send(head(1, ((":method", "TRACE"),) + GET[1:], ends=False))
        last = client.ended(1)
        assert dict(client.heads[1][0])[":status"] in ("501", "405")
        reset = last if last.kind == RST else client.until(
            lambda got: got.kind == RST and got.stream == 1)
        assert reset.code == NO_ERROR
        alive(client)


@pytest.mark.parametrize("name,value,passes", [
    ("x-fine", "1", True), ("content-length", "5", None), ("transfer-encoding", "chunked", None),
    ("connection", "close", None), *[(name, "1", False) for name in (
        "host", "trailer", "content-type", "content-encoding", "authorization", "cookie",
        "expect", "x-forwarded-for", "x_forwarded_for", "x-request-id",
        "x-penstock-client-subject")]])
def test_RFC_9110_6_5_1_only_what_belongs_there_passes_in_trailers(gateway, name, value, passes):
    with RawClient(gateway.address) as client:
        before = len(gateway.origin.requests)
        client.send(OPEN, frame(DATA, 0, 1, b"x"), head(1, ((name, value),)))
        assert client.status(1) == (None if passes is None else 200)
        alive(client)
        trailers = [tuple(pair) for request in gateway.origin.requests[before:]
                    for pair in request.trailers]
        assert trailers == ([(name, value)] if passes else [])
