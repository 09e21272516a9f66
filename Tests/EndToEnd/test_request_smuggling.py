# Requests that RFC 9112 and RFC 9110 forbid, by section: each is refused with the right status, the
# connection is closed, and nothing of it reaches a replica.

import pytest

from harness.configuration import configuration, service
from harness.gateway import Gateway
from harness.messages import compose
from harness.origin import Origin
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core

H = "Host: a\r\n"
NEXT = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def get(fields="", line="GET / HTTP/1.1", host=H):
    return f"{line}\r\n{host}{fields}\r\n"


def post(fields, body=""):
    return f"POST / HTTP/1.1\r\n{H}{fields}\r\n{body}"


# Section, what it is, the bytes, the status.
HEADS = [
    ("9112 2.2", "bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("9112 2.2", "bare LF ends a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    ("9112 2.2", "bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("9112 2.2", "bare CR in a value", get("X: a\rb\r\n"), 400),
    ("9112 2.2", "bare CR in the target", get(line="GET /\ra HTTP/1.1"), 400),
    ("9112 2.2", "two CR before LF", get("X: y\r\r\n"), 400),
    ("9112 2.2", "whitespace before the first field",
     "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("9112 2.2", "many empty lines first", "\r\n\r\n\r\n\r\n" + get(), 400),
    ("9112 3", "two spaces behind the method", get(line="GET  / HTTP/1.1"), 400),
    ("9112 3", "a tab as separator", get(line="GET\t/ HTTP/1.1"), 400),
    ("9112 3", "space behind the version", get(line="GET / HTTP/1.1 "), 400),
    ("9112 3", "a space in the target", get(line="GET /a b HTTP/1.1"), 400),
    ("9112 3", "no version", get(line="GET /"), 400),
    ("9112 3", "HTTP/0.9", "GET /\r\n", 400),
    ("9112 2.3", "lower case http", get(line="GET / http/1.1"), 400),
    ("9112 2.3", "HTTP/1", get(line="GET / HTTP/1"), 400),
    ("9112 2.3", "HTTP/1.10", get(line="GET / HTTP/1.10"), 400),
    ("9112 2.3", "HTTP/+1.1", get(line="GET / HTTP/+1.1"), 400),
    ("9112 2.3", "HTTP/2.0", get(line="GET / HTTP/2.0"), 505),
    ("9112 2.3", "HTTP/0.9 spelled out", get(line="GET / HTTP/0.9"), 505),
    ("9110 9.1", "a method that is no token", get(line="GE(T / HTTP/1.1"), 400),
    ("9110 9.1", "an empty method", get(line=" / HTTP/1.1"), 400),
    ("9110 9.1", "an endless method", get(line="G" * 200 + " / HTTP/1.1"), 501),
    ("9110 9.3.6", "CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    ("9110 9.3.8", "TRACE", get(line="TRACE / HTTP/1.1"), 501),
    ("9112 3.2", "no Host", get(host=""), 400),
    ("9112 3.2", "two Hosts", get("Host: b\r\n"), 400),
    ("9112 3.2", "the same Host twice", get("Host: a\r\n"), 400),
    ("9112 3.2", "Host with a path", get(host="Host: a/b\r\n"), 400),
    ("9112 3.2", "Host with userinfo", get(host="Host: b@a\r\n"), 400),
    ("9112 3.2", "Host with two names", get(host="Host: a, b\r\n"), 400),
    ("9112 3.2", "Host with a letter in its port", get(host="Host: a:8x\r\n"), 400),
    ("9112 3.2.1", "a target without its slash", get(line="GET index HTTP/1.1"), 400),
    ("9112 3.2.2", "userinfo in the target", get(line="GET http://u@a/ HTTP/1.1"), 400),
    ("9112 3.2.2", "no authority in the target", get(line="GET http:/// HTTP/1.1"), 400),
    ("9112 3.2.4", "asterisk with GET", get(line="GET * HTTP/1.1"), 400),
    ("9112 3.2", "a fragment in the target", get(line="GET /a#b HTTP/1.1"), 400),
    ("9112 3.2", "NUL in the target", get(line="GET /a\0b HTTP/1.1"), 400),
    ("9112 3.2", "a control in the target", get(line="GET /a\x01b HTTP/1.1"), 400),
    ("9112 3", "a target of 20 KB", get(line=f"GET /{'a' * 20000} HTTP/1.1"), 414),
    ("9112 5.1", "space before the colon", get("X : y\r\n"), 400),
    ("9112 5.1", "tab before the colon", get("X\t: y\r\n"), 400),
    ("9112 5.1", "space before the colon of Content-Length", post("Content-Length : 3\r\n"), 400),
    ("9112 5.1", "no colon", get("Nothing\r\n"), 400),
    ("9112 5.1", "no name", get(": y\r\n"), 400),
    ("9112 5.2", "obsolete fold", get("X: y\r\n z\r\n"), 400),
    ("9112 5.2", "obsolete fold with a tab", get("X: y\r\n\tz\r\n"), 400),
    ("9112 5.2", "fold that hides a coding",
     post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400),
    ("9110 5.1", "a control in a name", get("X\x01: y\r\n"), 400),
    ("9110 5.1", "a byte above 127 in a name", get("X\xe9: y\r\n"), 400),
    ("9110 5.1", "a bracket in a name", get("X[0]: y\r\n"), 400),
    ("9110 5.5", "NUL in a value", get("X: a\0b\r\n"), 400),
    ("9110 5.5", "a control in a value", get("X: a\x0bb\r\n"), 400),
    ("9110 5.5", "DEL in a value", get("X: a\x7fb\r\n"), 400),
    ("9110 8.6", "two lengths that differ", post(
        "Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400),
    ("9110 8.6", "the same length twice", post(
        "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400),
    ("9110 8.6", "a list of lengths", post("Content-Length: 3, 3\r\n", "abc"), 400),
    ("9110 8.6", "a signed length", post("Content-Length: +3\r\n", "abc"), 400),
    ("9110 8.6", "a negative length", post("Content-Length: -1\r\n"), 400),
    ("9110 8.6", "a hexadecimal length", post("Content-Length: 0x3\r\n", "abc"), 400),
    ("9110 8.6", "a length with a point", post("Content-Length: 3.0\r\n", "abc"), 400),
    ("9110 8.6", "an empty length", post("Content-Length:\r\n"), 400),
    ("9110 8.6", "a length with a space inside", post("Content-Length: 1 3\r\n", "abc"), 400),
    ("9110 8.6", "a length beyond 64 bits", post(
        "Content-Length: 18446744073709551619\r\n", "abc"), 400),
    ("9110 8.6", "a length in other digits", post("Content-Length: \xb3\r\n", "abc"), 400),
    ("9112 6.1", "length and coding", post(
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"), 400),
    ("9112 6.1", "coding and length", post(
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\nG"), 400),
    ("9112 6.1", "an unknown coding", post("Transfer-Encoding: gzip\r\n"), 501),
    ("9112 6.1", "identity", post("Transfer-Encoding: identity\r\n"), (400, 501)),
    ("9112 6.1", "chunked twice", post(
        "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400),
    ("9112 6.1", "chunked in two fields", post(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
    ("9112 6.1", "chunked not last", post(
        "Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), (400, 501)),
    ("9112 6.1", "chunked after another", post(
        "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), (400, 501)),
    ("9112 6.1", "a coding nearly chunked", post(
        "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501),
    ("9112 6.1", "chunked with a vertical tab", post(
        "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), 400),
    ("9112 6.1", "chunked with a parameter", post(
        "Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), (400, 501)),
    ("9112 6.1", "chunked in quotes", post(
        'Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), (400, 501)),
    ("9112 6.1", "an empty coding", post("Transfer-Encoding:\r\n"), 400),
    ("9112 6.1", "a coding in HTTP/1.0",
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("9110 10.1.1", "an expectation nobody can meet", post(
        "Content-Length: 1\r\nExpect: tea\r\n", "a"), 417),
    ("9112 9.6", "Connection that is no list", get("Connection: a b\r\n"), 400),
    ("9113 3.4", "half of the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", (400, 505)),
    ("no HTTP", "a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
]

# Framing that goes wrong behind a good head.
BODIES = [
    ("9112 7.1", "a size that is no number", "xyz\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "a size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "a signed size", "+3\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "a negative size", "-3\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "space before the size", " 3\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "an empty size", "\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "a size beyond 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "a size that wraps", "fffffffffffffffe\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "an underscore in the size", "1_0\r\n" + "a" * 16 + "\r\n0\r\n\r\n"),
    ("9112 7.1", "bare LF behind the size", "3\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "bare CR behind the size", "3\rabc\r\n0\r\n\r\n"),
    ("9112 7.1", "bare LF behind the data", "3\r\nabc\n0\r\n\r\n"),
    ("9112 7.1", "more data than the size says", "3\r\nabcd\r\n0\r\n\r\n"),
    ("9112 7.1", "less data than the size says", "5\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1", "no CRLF behind the data", "3\r\nabc0\r\n\r\n"),
    ("9112 7.1.1", "a control in an extension", "3;a\x01=b\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1.1", "bare LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1.1", "an extension of 64 KB", "3;" + "a" * 65536 + "\r\nabc\r\n0\r\n\r\n"),
    ("9112 7.1.2", "space before a trailer's colon", "3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    ("9112 7.1.2", "a folded trailer", "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"),
    ("9112 7.1.2", "bare LF in the trailers", "3\r\nabc\r\n0\r\nX: y\n\r\n"),
    ("9112 7.1.2", "64 KB of trailers", "3\r\nabc\r\n0\r\n" + f"X: {'y' * 900}\r\n" * 72 + "\r\n"),
]


class Served:
    def __init__(self, folder):
        self.origin = Origin()
        self.gateway = Gateway(folder, configuration(service(self.origin))).start()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("corpus"))
    yield made
    made.gateway.finish()
    made.origin.stop()


def label(case):
    return f"{case[0]} {case[1]}"


@pytest.mark.parametrize("case", HEADS, ids=label)
def test_a_malformed_head_is_refused_and_reaches_no_replica(served, case):
    _, _, data, expected = case
    before = len(served.origin.requests)
    with Connection(served.gateway.address) as client:
        client.send(data).send(NEXT)
        answer = client.response()
        ending = client.ending()
    assert answer.status in (expected if isinstance(expected, tuple) else (expected,))
    assert answer.header("content-type") == "application/problem+json"
    assert answer.error and answer.json()["status"] == answer.status
    assert answer.header("connection") == "close" and ending in ("end", "reset")
    assert len(served.origin.requests) == before
    assert served.gateway.get("/after").status == 200


@pytest.mark.parametrize("case", BODIES, ids=label)
def test_a_malformed_chunked_body_completes_at_no_replica(served, case):
    with Connection(served.gateway.address) as client:
        client.send(compose("POST", "/body", {"Transfer-Encoding": "chunked"}))
        client.send(case[2]).send(NEXT)
        try:
            answer = client.response()
            assert answer.status in (400, 413, 431), answer.first_line
            assert answer.header("connection") == "close"
        except (EOFError, ConnectionResetError):
            pass  # An answer is a courtesy here; closing is the duty.
        else:
            client.ending()
    served.gateway.settle()
    for request in served.origin.requests:
        assert request.target != "/smuggled"
        assert request.target != "/body" or request.body == b""
    assert not served.origin.faults, "the malformed framing itself reached the replica"


def test_one_empty_line_before_a_request_is_forgiven(served):
    with Connection(served.gateway.address) as client:
        assert client.send("\r\n" + get()).response().status == 200


def test_a_get_with_a_body_keeps_its_framing(served):
    with Connection(served.gateway.address) as client:
        client.send("GET /framed HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\n")
        client.send("GET /inner HTTP/1.1\r\nHost: x\r\n\r\n\r\n"[:32])
        assert client.response().json()["body"].startswith("GET /inner")
        assert client.get("/outer").json()["target"] == "/outer"
    assert "/inner" not in [request.target for request in served.origin.requests]


def test_a_body_that_ends_early_completes_at_no_replica(served):
    with Connection(served.gateway.address) as client:
        client.send("POST /short HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nonly this")
        until(lambda: any(r.target == "/short" for r in served.origin.requests), "the head arrives")
        client.finish_writing()
        assert client.rest()[:12] in (b"", b"HTTP/1.1 400")
    served.gateway.settle()
    until(lambda: served.origin.truncated, "the replica sees that the body is cut")


def test_refusals_are_counted_by_their_code(served):
    code = "repeated_content_length"
    name = "penstock_refusals_total"
    before = served.gateway.admin.metrics().sum(name, code=code)
    with Connection(served.gateway.address) as client:
        client.send(post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"))
        assert client.response().error == code
    assert served.gateway.admin.metrics().sum(name, code=code) == before + 1
