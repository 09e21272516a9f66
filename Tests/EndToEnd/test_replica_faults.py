# Replicas that answer nonsense, break off, or fall silent: what is malformed becomes a 502, and
# what was cut never looks complete to the client.

import signal
import threading

import pytest

from harness.configuration import service
from harness.messages import LAST_CHUNK, Truncated, chunk, compose
from harness.origin import answer_bytes, fixed, raw, resetting
from harness.waiting import until
from harness.wire import Connection

pytestmark = pytest.mark.core

OK = "HTTP/1.1 200 OK\r\n"

MALFORMED = [
    ("no status line", "hello\r\n\r\n"),
    ("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    ("status 099", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    ("bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    ("bare LF in a field", OK + "X: y\nContent-Length: 0\r\n\r\n"),
    ("bare CR in a field", OK + "X: a\rb\r\nContent-Length: 0\r\n\r\n"),
    ("NUL in a value", OK + "X: a\0b\r\nContent-Length: 0\r\n\r\n"),
    ("space before a colon", OK + "X : y\r\nContent-Length: 0\r\n\r\n"),
    ("an obsolete fold", OK + "X: y\r\n z\r\nContent-Length: 0\r\n\r\n"),
    ("two lengths", OK + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("a negative length", OK + "Content-Length: -1\r\n\r\n"),
    ("a hexadecimal length", OK + "Content-Length: 0x1\r\n\r\na"),
    ("length and coding", OK + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", OK + "Transfer-Encoding: gzip\r\n\r\nabc"),
    ("a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a coding in 204", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a switch nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    ("an endless head", OK + "".join(f"X-{n}: {'y' * 1000}\r\n" for n in range(80)) + "\r\n"),
    ("too many fields", OK + "".join(f"X-{n}: y\r\n" for n in range(300)) + "\r\n"),
]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case[0])
def test_a_malformed_answer_becomes_502(start_origin, start_gateway, case):
    replica = start_origin(raw(case[1].encode("latin-1")))
    gateway = start_gateway(service(replica, ejection={"failures": 0}))
    with gateway.connect() as client:
        answer = client.get()
        assert answer.status == 502 and answer.error == "replica_malformed", answer.first_line
        replica.script = fixed(b"fine")
        assert client.get().body == b"fine", "the client's connection is still good"


def test_an_endless_row_of_interim_answers_is_cut(start_origin, start_gateway):
    def script(exchange):
        for _ in range(10000):
            exchange.send(b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * 500 + b"\r\n\r\n")
        exchange.answer(200)
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose())
        try:
            assert client.response().status in (200, 502)
        except (EOFError, ConnectionResetError, Truncated):
            pass  # Cut after some were forwarded: nothing else can be told any more.
    assert gateway.get("/x").status in (200, 502)


@pytest.mark.parametrize("case", [
    ("before a byte", b""), ("in the status line", b"HTTP/1.1 20"),
    ("in the head", b"HTTP/1.1 200 OK\r\nContent-Le")], ids=lambda case: case[0])
def test_a_replica_that_closes_before_its_answer_is_a_502(start_origin, start_gateway, case):
    gateway = start_gateway(service(start_origin(raw(case[1])), ejection={"failures": 0}))
    answer = gateway.get()
    assert answer.status == 502 and answer.error in ("replica_reset", "replica_malformed")


CUT = [
    ("a length not met", OK + "Content-Length: 1000\r\n\r\n" + "x" * 500),
    ("a length, no byte of the body", OK + "Content-Length: 1000\r\n\r\n"),
    ("between chunks", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("in a chunk", OK + "Transfer-Encoding: chunked\r\n\r\n50\r\nhello"),
    ("in a chunk size", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1"),
    ("before the last CRLF", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
    ("in the trailers", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n"),
    ("with a chunk that is none", OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZ\r\n"),
]


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("case", CUT, ids=lambda case: case[0])
def test_a_cut_answer_never_looks_complete(start_origin, start_gateway, case, how):
    def script(exchange):
        exchange.send(case[1])
        getattr(exchange.connection, how)()
    gateway = start_gateway(service(start_origin(script), ejection={"failures": 0}))
    with gateway.connect() as client:
        client.send(compose())
        try:
            answer = client.response()
        except (Truncated, ConnectionResetError, EOFError):
            return
        # A reset may overtake the head: then nothing was promised yet.
        assert answer.status == 502, answer


def test_a_reset_answer_without_a_length_is_a_reset(start_origin, start_gateway):
    def script(exchange):
        exchange.send(OK + "\r\n" + "x" * 5000)
        exchange.wait(exchange.origin.go)
        exchange.connection.reset()
    replica = start_origin(script)
    replica.go = threading.Event()
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose())
        answer = client.response_head()
        replica.go.set()
        if answer.header("transfer-encoding") == "chunked":
            with pytest.raises((Truncated, ConnectionResetError)):
                client.read_body(answer)
        else:
            with pytest.raises(ConnectionResetError):
                client.rest()


def test_an_http_1_0_client_sees_a_cut_chunked_answer_as_a_reset(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(raw(
        OK.encode() + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"))))
    with gateway.connect() as client:
        client.send(compose(version="1.0"))
        with pytest.raises((ConnectionResetError, EOFError)):
            answer = client.response()
            assert answer.status == 502, answer


def test_bytes_behind_an_answer_poison_nobody(start_origin, start_gateway):
    poison = answer_bytes(200, b"poison")
    replica = start_origin(raw(answer_bytes(200, b"first") + poison, then_close=False))
    gateway = start_gateway(service(replica), gateway={"workers": 1})
    bodies = [gateway.get(f"/{n}").body for n in range(20)]
    assert bodies == [b"first"] * 20
    assert len(replica.connections) == 20, "such a connection is not used again"


def test_bytes_on_an_idle_connection_poison_nobody(start_origin, start_gateway):
    replica = start_origin(fixed(b"first"))
    gateway = start_gateway(service(replica), gateway={"workers": 1})
    for number in range(1, 6):
        assert gateway.get().body == b"first"
        replica.connections[-1].send(answer_bytes(200, b"poison"))
        until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 0,
              "the connection is given up")
        assert len(replica.connections) == number


def test_a_body_that_a_204_or_a_head_should_not_have_poisons_nobody(start_origin, start_gateway):
    replica = start_origin(lambda exchange: exchange.send(
        OK + "Content-Length: 6\r\n\r\npoison"))
    gateway = start_gateway(service(replica), gateway={"workers": 1})
    with gateway.connect() as client:
        assert client.request("HEAD").header("content-length") == "6"
        replica.script = fixed(b"right")
        assert client.get().body == b"right"


def test_an_early_answer_to_an_upload_reaches_the_client(start_origin, start_gateway):
    def script(exchange):
        exchange.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!")
        exchange.connection.socket.shutdown(1)
        exchange.connection.stream.rest()
    gateway = start_gateway(service(start_origin(script)))
    with Connection(gateway.address) as client:
        client.send(compose("POST", "/", {"Content-Length": "1000000"}))
        answer = client.response()
        assert (answer.status, answer.body) == (413, b"no!")


def test_an_origin_that_resets_is_a_502_and_counted_as_transport(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(resetting), ejection={"failures": 0}))
    assert gateway.post("/", b"x").error == "replica_reset"
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_service_requests_total", outcome="transport") == 1


def test_chunks_that_arrive_one_byte_at_a_time_are_passed_on(start_origin, start_gateway):
    def script(exchange):
        data = OK.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + LAST_CHUNK
        for byte in data:
            exchange.send(bytes([byte]))
    assert start_gateway(service(start_origin(script))).get().body == b"abc"


def test_a_reset_that_a_send_has_heard_of_still_cuts_the_answer(start_origin, start_gateway):
    go, left = threading.Event(), threading.Event()

    def script(exchange):
        # Until the end of the connection, and answered before the request is here.
        exchange.is_body_read = True
        exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf an ans")
        assert go.wait(20)
        exchange.connection.reset()
        left.set()
    gateway = start_gateway(service(start_origin(script)), gateway={"workers": 1})
    with gateway.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        answer = client.response_head()
        # Both are there when it looks: the client's bytes, which it sends on, and the reset.
        gateway.signal(signal.SIGSTOP)
        client.send(b"x" * 60_000)
        go.set()
        assert left.wait(20)
        gateway.signal(signal.SIGCONT)
        with pytest.raises((Truncated, ConnectionResetError)):
            client.read_body(answer)
