# Bodies stream: nothing waits for the whole, nothing is kept whole, a slow side holds back the fast
# one, and a client that leaves ends the work of the replica.

import hashlib
import threading

import pytest

from harness.configuration import service
from harness.messages import LAST_CHUNK, chunk, compose
from harness.origin import echo
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

MiB = 1024 * 1024
EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def test_each_event_passes_at_once_and_as_it_came(start_origin, start_gateway):
    told = threading.Semaphore(0)

    def script(exchange):
        exchange.send(EVENT_STREAM + b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(20):
            assert told.acquire(timeout=20)
            exchange.send(chunk(b"data: %d\n\n" % number))
        exchange.send(LAST_CHUNK)
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose())
        assert client.response_head().header("content-type") == "text/event-stream"
        for number in range(20):
            told.release()
            assert client.chunk() == b"data: %d\n\n" % number
        assert client.chunk() == b""
        assert client.is_open()


def test_events_without_a_length_pass_at_once(start_origin, start_gateway):
    told = threading.Semaphore(0)

    def script(exchange):
        exchange.send(EVENT_STREAM + b"\r\n")
        for number in range(5):
            assert told.acquire(timeout=20)
            exchange.send(b"data: %d\n\n" % number)
        exchange.connection.close()
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose())
        answer = client.response_head()
        if answer.header("transfer-encoding") == "chunked":
            for number in range(5):
                told.release()
                assert client.chunk() == b"data: %d\n\n" % number
            assert client.chunk() == b""
        else:
            for number in range(5):
                told.release()
                assert client.stream.exactly(9) == b"data: %d\n\n" % number
            assert client.ending() == "end"


def test_an_upload_arrives_while_it_is_sent(start_origin, start_gateway):
    pieces = []

    def script(exchange):
        for _ in range(10):
            pieces.append(exchange.connection.stream.exactly(4))
        exchange.is_body_read = True
        exchange.answer(200)
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": "40"}))
        for number in range(10):
            client.send(b"%04d" % number)
            until(lambda: len(pieces) == number + 1, f"piece {number} arrives")
        assert client.response().status == 200
    assert b"".join(pieces) == b"".join(b"%04d" % n for n in range(10))


def test_100_continue_comes_from_where_the_body_is_wanted(start_origin, start_gateway):
    release = threading.Event()

    def script(exchange):
        exchange.wait(release)
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        echo(exchange)
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Expect": "100-continue", "Content-Length": "5"}))
        release.set()
        assert client.interim_head().status == 100
        client.send(b"hello")
        assert client.response().json()["body"] == "hello"
    assert replica.last.body == b"hello"


def test_a_refusal_instead_of_100_continue_spares_the_body(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        exchange.connection.close()
    gateway = start_gateway(service(start_origin(script)))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Expect": "100-continue", "Content-Length": "500"}))
        answer = client.response()
    # The gateway may have said 100 itself; what counts is that the refusal arrives.
    assert (answer.status, answer.body) == (403, b"no")


def test_a_large_answer_arrives_whole_and_is_never_kept_whole(start_origin, start_gateway):
    block, blocks = bytes(range(256)) * 4096, 64

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * blocks))
        for _ in range(blocks):
            exchange.send(block)
    gateway = start_gateway(service(start_origin(script)))
    gateway.get("/warm")
    before = resident_bytes(gateway.pid)
    answer = gateway.get("/large")
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(block * blocks).digest()
    assert resident_bytes(gateway.pid) - before < 12 * MiB * LARGENESS


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_large_upload_arrives_whole_and_is_never_kept_whole(
        start_origin, start_gateway, chunked):
    digests = []

    def script(exchange):
        digests.append(hashlib.sha256(exchange.read_body()).hexdigest())
        exchange.request.body = b""
        exchange.answer(200)
    gateway = start_gateway(service(start_origin(script)))
    block, blocks = bytes(range(256)) * 4096, 48
    gateway.post("/warm", b"x")
    before = resident_bytes(gateway.pid)
    with gateway.connect() as client:
        if chunked:
            client.send(compose("POST", "/", {"Transfer-Encoding": "chunked"}))
        else:
            client.send(compose("POST", "/", {"Content-Length": str(len(block) * blocks)}))
        for _ in range(blocks):
            client.send(chunk(block) if chunked else block)
        if chunked:
            client.send(LAST_CHUNK)
        assert client.response().status == 200
    assert digests[-1] == hashlib.sha256(block * blocks).hexdigest()
    assert resident_bytes(gateway.pid) - before < 12 * MiB * LARGENESS


def test_a_client_that_does_not_read_holds_back_its_replica(start_origin, start_gateway):
    sent = []

    def script(exchange):
        total = 200 * MiB
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sum(sent) < total:
            exchange.send(b"z" * 65536)
            sent.append(65536)
    gateway = start_gateway(service(start_origin(script)))
    before = resident_bytes(gateway.pid)
    with gateway.connect(receive_buffer=16384) as client:
        client.send(compose())
        client.response_head()
        seen = Plateau(lambda: sum(sent))
        until(seen.is_reached, "the replica is held back", 20)
        # What is under way is in socket buffers of the kernel, not in the gateway.
        assert sum(sent) < 64 * MiB
        assert resident_bytes(gateway.pid) - before < 6 * MiB * LARGENESS
    until(lambda: gateway.admin.metrics().sum("penstock_upstream_connections_open") == 0,
          "the replica's connection is closed")


def test_a_replica_that_does_not_read_holds_back_its_client(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        exchange.wait(go)
        exchange.answer(200)
    gateway = start_gateway(service(start_origin(script)))
    total, sent, block = 48 * MiB, [], b"u" * 65536
    before = resident_bytes(gateway.pid)
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Content-Length": str(total)}))

        def upload():
            while sum(sent) < total:
                client.send(block)
                sent.append(len(block))
        uploading = threading.Thread(target=upload, daemon=True)
        uploading.start()
        until(Plateau(lambda: sum(sent)).is_reached, "the client is held back", 20)
        assert sum(sent) < total
        assert resident_bytes(gateway.pid) - before < 6 * MiB * LARGENESS
        go.set()
        assert client.response().status == 200
        uploading.join(20)
    assert sum(sent) == total


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_upload_that_ends_while_its_replica_lags_is_complete(
        start_origin, start_gateway, chunked):
    def script(exchange):
        if not chunked:
            left = int(exchange.request.headers.get("content-length"))
            while left:  # In small bites, so that the gateway always has something left to send.
                left -= len(exchange.connection.stream.exactly(min(left, 1500)))
            exchange.is_body_read = True
        exchange.read_body()
        threading.Event().wait(0.5)
        exchange.answer(200)
    gateway = start_gateway(
        service(start_origin(script, receive_buffer=4096)),
        gateway={"timeouts": {"request_idle": "300ms"}, "workers": 1})
    with gateway.connect() as client:
        for extra in range(4):
            body = b"u" * (3 * MiB + extra * 7919)
            framing = {"Transfer-Encoding": "chunked"} if chunked else {
                "Content-Length": str(len(body))}
            client.send(compose("POST", "/", framing))
            client.send(chunk(body) + LAST_CHUNK if chunked else body)
            assert client.response().status == 200
        assert client.is_open()


class Plateau:
    """A number that has begun to grow and then stayed the same over many looks."""

    def __init__(self, number):
        self._number, self._last, self._same = number, 0, 0

    def is_reached(self):
        now = self._number()
        self._same = self._same + 1 if now == self._last and now > 0 else 0
        self._last = now
        return self._same > 80


def test_slow_readers_of_large_answers_cost_little_memory(start_origin, start_gateway):
    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MiB))
        while True:
            exchange.send(b"s" * 65536)
    gateway = start_gateway(service(start_origin(script)))
    before = resident_bytes(gateway.pid)
    clients = [gateway.connect(receive_buffer=8192) for _ in range(60)]
    for client in clients:
        client.send(compose())
    for client in clients:
        client.response_head()
    total = Plateau(lambda: gateway.admin.metrics().sum("penstock_sent_bytes_total") + 1)
    until(total.is_reached, "all are stalled", 20)
    grown = resident_bytes(gateway.pid) - before
    for client in clients:
        client.reset()
    # 32 KiB each, and what the process needs besides for its first 60 connections.
    assert grown < (60 * 64 * 1024 + 6 * MiB) * LARGENESS


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_while_waiting_ends_the_work(start_origin, start_gateway, how):
    left, tries = [], 7

    def script(exchange):
        exchange.client_left()
        left.append(watch.seconds)
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    for number in range(1, tries + 1):
        client = gateway.connect()
        client.send(compose())
        until(lambda: len(replica.requests) == number, "the replica works")
        watch = Stopwatch()
        getattr(client, how)()
        until(lambda: len(left) == number, "the replica learns that nobody waits")
    # The median: one look may come late on a busy machine.
    assert sorted(left)[tries // 2] < 0.05 * SLOWNESS, left
    until(lambda: gateway.admin.metrics().sum(
        "penstock_service_requests_total", outcome="cancelled") == tries, "all are counted")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_a_stream_ends_it(start_origin, start_gateway, how):
    ended = threading.Event()

    def script(exchange):
        exchange.send(EVENT_STREAM + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"data: 1\n\n"))
        try:
            exchange.client_left()
        finally:
            ended.set()
    gateway = start_gateway(service(start_origin(script)))
    client = gateway.connect()
    client.send(compose())
    client.response_head()
    assert client.chunk()
    watch = Stopwatch()
    getattr(client, how)()
    assert ended.wait(10)
    watch.assert_between(0, 0.25)


def test_a_client_that_leaves_during_its_upload_cuts_it_at_the_replica(
        start_origin, start_gateway):
    replica = start_origin()
    gateway = start_gateway(service(replica))
    client = gateway.connect()
    client.send(compose("POST", "/", {"Content-Length": "1000"}) + b"x" * 100)
    until(lambda: replica.requests, "the upload arrives")
    client.close()
    until(lambda: replica.truncated, "the replica sees the upload cut")


def test_a_half_closed_client_still_gets_its_answer(start_origin, start_gateway):
    go = threading.Event()

    def script(exchange):
        exchange.read_body()
        exchange.wait(go)
        exchange.answer(200, b"late but whole")
    replica = start_origin(script)
    gateway = start_gateway(service(replica))
    with gateway.connect() as client:
        client.send(compose("POST", "/", {"Connection": "close"}, b"all I have to say"))
        until(lambda: replica.requests, "the request arrives")
        go.set()
        assert client.response().body == b"late but whole"
