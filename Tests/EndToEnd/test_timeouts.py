# Every timeout of the contract, with a small setting: what it ends, how that looks to the client,
# and that it comes neither early nor much later.

import fcntl
import socket
import struct
import termios
import threading

import pytest

from harness.configuration import service
from harness.messages import Truncated, chunk, compose
from harness.origin import echo, fixed
from harness.waiting import Stopwatch, until

pytestmark = pytest.mark.core

SETTING = 0.4
EARLIEST, LATEST = SETTING - 0.005, SETTING + 0.2


def with_timeout(name):
    return {"timeouts": {name: "400ms"}}


def silent(exchange):
    """Takes the request and says nothing."""
    exchange.read_body()
    exchange.client_left()


def test_request_head_ends_a_head_that_does_not_complete(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout("request_head"))
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send("GET / HTTP/1.1\r\nHost:")
        answer = client.response()
        watch.assert_between(EARLIEST, LATEST)
        assert answer.status == 408 and answer.error == "request_timeout"
        assert client.ending() in ("end", "reset")


def test_request_head_is_not_extended_by_a_dripping_client(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout("request_head"))
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send("GET / HTTP/1.1\r\nX: ")
        client.drip("y", 0.05)
        watch.assert_between(EARLIEST, LATEST)
        assert client.response().error == "request_timeout"


def test_keep_alive_ends_a_connection_without_a_request(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin()), gateway=with_timeout("keep_alive"))
    with gateway.connect() as fresh, gateway.connect() as used:
        watch = Stopwatch()
        assert used.get().status == 200
        assert fresh.ending() == "end"
        watch.assert_between(EARLIEST, LATEST)
        assert used.ending() == "end"
        watch.assert_between(EARLIEST, LATEST + 0.1)


def test_request_idle_ends_an_upload_that_stops(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=with_timeout("request_idle"))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": "100"}))
        client.send(b"x" * 10)
        watch = Stopwatch()
        answer = client.response()
        watch.assert_between(EARLIEST - 0.05, LATEST)
        assert answer.status == 408 and answer.error == "request_timeout"
    until(lambda: replica.truncated, "the replica sees the upload cut")


def test_request_idle_is_extended_by_every_byte(start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica), gateway=with_timeout("request_idle"))
    total = 100
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": str(total)}))
        watch, sent = Stopwatch(), [0]

        def dripped():
            due = min(total, int(watch.seconds / 0.012))
            if due > sent[0]:
                client.send(b"d" * (due - sent[0]))
                sent[0] = due
            return sent[0] == total
        until(dripped, "a slow upload ends")
        assert client.response().status == 200
        assert watch.seconds > 2 * SETTING


def test_response_idle_ends_a_client_that_takes_nothing(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        try:
            while True:
                exchange.send(b"x" * 65536)
        except OSError:
            ended.set()
            raise
    ended = threading.Event()
    gateway = start_gateway(service(start_origin(script)), gateway=with_timeout("response_idle"))
    with gateway.connect(receive_buffer=8192) as client:
        client.send(compose())
        client.response_head()
        assert ended.wait(10), "the replica is let go"
        with pytest.raises((Truncated, ConnectionResetError)):
            client.stream.exactly(100_000_000)


def test_response_idle_is_not_extended_by_what_the_replica_sends(
        start_origin, start_gateway, folder):
    ended, clients = threading.Event(), []

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        fill(exchange, clients[0].socket)
        try:
            while not ended.wait(0.05):
                exchange.send(chunk(b"event"))
        except OSError:
            ended.set()
            raise
    gateway = start_gateway(service(start_origin(script)), gateway={
        "listeners": [{"address": f"unix:{folder}/front.sock"}], **with_timeout("response_idle")})
    with gateway.connect() as client:
        clients.append(client)
        watch = Stopwatch()
        client.send(compose())
        assert ended.wait(10), "the replica is let go"
        watch.assert_between(EARLIEST, 5)


def fill(exchange, reader):
    """Sends until a unix socket that nobody reads from takes no more."""
    def waiting():
        return struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0\0\0\0"))[0]
    while True:
        before, watch = waiting(), Stopwatch()
        exchange.send(chunk(b"x" * 8192))
        until(lambda: waiting() > before or watch.seconds > 0.3, "it is there, or never will be")
        if waiting() == before:
            return


def test_connect_ends_waiting_for_a_connection(start_gateway, full_backlog):
    gateway = start_gateway(service(full_backlog), gateway=with_timeout("connect"))
    watch = Stopwatch()
    answer = gateway.get()
    watch.assert_between(EARLIEST, 2 * LATEST)
    assert answer.status == 504 and answer.error == "connect_timeout"


@pytest.fixture
def full_backlog():
    """An address whose SYNs are dropped: nothing is accepted and the queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        waiting.append(filler)
    yield "%s:%d" % listener.getsockname()
    for filler in waiting:
        filler.close()
    listener.close()


def test_first_byte_ends_waiting_for_an_answer(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(silent)), gateway=with_timeout("first_byte"))
    with gateway.connect() as client:
        watch = Stopwatch()
        answer = client.post("/", b"x")
        watch.assert_between(EARLIEST, LATEST)
        assert answer.status == 504 and answer.error == "first_byte_timeout"
        assert client.is_open(), "only the replica was at fault"
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_service_requests_total", outcome="timeout") == 1


WAITING = {"Expect": "100-continue", "Content-Length": "5"}


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "h2"])
def test_who_waits_to_be_asked_for_a_body_is_not_late_with_it(
        start_origin, start_gateway, http2):
    replica = start_origin(
        lambda exchange: exchange.wait_for_reset() if http2 else exchange.client_left(),
        http2=http2)
    gateway = start_gateway(
        service(revisions=[{"name": "stable", "protocol": "h2" if http2 else "http1",
                            "endpoints": [replica.address]}]),
        gateway={"timeouts": {"first_byte": "600ms", "request_idle": "200ms"}})
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send(compose("POST", "/", WAITING))
        answer = client.response()
        assert (answer.status, answer.error) == (504, "first_byte_timeout")
        watch.assert_between(0.6, 1.0)


def test_who_has_been_asked_for_a_body_is(start_origin, start_gateway):
    def script(exchange):
        watch = Stopwatch()
        until(lambda: watch.seconds > 0.4, "request_idle has passed")
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange.is_body_read = True
        exchange.client_left()
    gateway = start_gateway(service(start_origin(script)),
                            gateway={"timeouts": {"request_idle": "200ms"}})
    with gateway.connect() as client:
        client.send(compose("POST", "/", WAITING))
        assert client.interim_head().status == 100
        assert client.response().error == "request_timeout"


def test_a_services_own_timeout_wins(start_origin, start_gateway):
    slow, patient = start_origin(silent), start_origin(fixed(b"ok"))
    gateway = start_gateway(
        service(slow, routes=[{"path": "/slow"}], timeouts={"first_byte": "400ms"}),
        service(patient, name="patient"))
    watch = Stopwatch()
    assert gateway.post("/slow", b"").status == 504
    watch.assert_between(EARLIEST, LATEST)
    assert gateway.get("/").status == 200


def test_stream_idle_ends_an_answer_that_stops_and_cuts_it_visibly(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"begun"))
        exchange.client_left()
    gateway = start_gateway(service(start_origin(script)), gateway=with_timeout("stream_idle"))
    with gateway.connect() as client:
        client.send(compose())
        client.response_head()
        assert client.chunk() == b"begun"
        watch = Stopwatch()
        with pytest.raises((Truncated, ConnectionResetError)):
            client.chunk()
        watch.assert_between(EARLIEST - 0.05, LATEST)


def test_stream_idle_is_extended_by_every_event(start_origin, start_gateway):
    go = threading.Semaphore(0)

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(12):
            assert go.acquire(timeout=20)
            exchange.send(chunk(b"event"))
        exchange.send(b"0\r\n\r\n")
    gateway = start_gateway(service(start_origin(script)), gateway=with_timeout("stream_idle"))
    with gateway.connect() as client:
        client.send(compose())
        client.response_head()
        watch = Stopwatch()
        for number in range(12):
            until(lambda: watch.seconds > number * 0.1, "the next event is due")
            go.release()
            assert client.chunk() == b"event"
        assert client.chunk() == b"" and watch.seconds > 2 * SETTING


def test_total_ends_even_a_request_that_makes_progress(start_origin, start_gateway):
    stop = threading.Event()

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.02):
            exchange.send(chunk(b"event"))
    gateway = start_gateway(service(start_origin(script)), gateway=with_timeout("total"))
    with gateway.connect() as client:
        watch = Stopwatch()
        client.send(compose())
        with pytest.raises((Truncated, ConnectionResetError)):
            client.response()
        watch.assert_between(EARLIEST, LATEST)
    stop.set()


def test_total_before_an_answer_is_504(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(silent)), gateway=with_timeout("total"))
    watch = Stopwatch()
    answer = gateway.get()
    watch.assert_between(EARLIEST, LATEST)
    assert answer.status == 504 and answer.error == "total_timeout"


def test_a_timeout_of_zero_is_off(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(echo)), gateway={"timeouts": {
        "request_head": "0s", "keep_alive": "0s", "first_byte": "0s", "stream_idle": "0s"}})
    with gateway.connect() as client:
        assert client.get().status == 200
        client.send("GET / HT")
        watch = Stopwatch()
        until(lambda: watch.seconds > 0.3, "some time has passed")
        client.send("TP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 200


def test_waiting_for_a_slot_counts_against_the_total(start_origin, start_gateway):
    replica = start_origin(silent)
    gateway = start_gateway(
        service({"address": replica.address, "concurrency": 1}), gateway=with_timeout("total"))
    with gateway.connect() as first, gateway.connect() as second:
        watch = Stopwatch()
        first.send(compose())
        second.send(compose())
        assert {first.response().status, second.response().status} <= {503, 504}
        watch.assert_between(EARLIEST, LATEST)

