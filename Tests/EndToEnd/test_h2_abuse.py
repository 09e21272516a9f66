# Floods and stalls over HTTP/2 (RFC 9113 10.5): each is cut, with ENHANCE_YOUR_CALM where it is a
# flood, costs little memory, and others are served meanwhile. Each story prints its figures; the
# bounds asserted leave room for slow machines, but for those that count.

import select
import threading
import time

import pytest

from harness.bystander import Bystander, Replica
from harness.configuration import configuration, service
from harness.frames import (
    ACK, CALM, CONTINUATION, DATA, END_HEADERS, END_STREAM, GET, GOAWAY, HEADERS, PADDED, PING,
    POST, PRIORITY, REFUSED, RST, WINDOW, RawClient, block, frame, head, literal, number,
    setting)
from harness.gateway import Gateway
from harness.origin import Origin
from harness.processes import resident_bytes
from harness.waiting import LARGENESS, SLOWNESS, until

MB = 1_000_000
GROWTH = 16 * MB * LARGENESS


def serving(exchange):
    body = exchange.read_body()
    size = 200_000 if exchange.request.target == "/large" else 2
    exchange.answer(200, body or b"o" * size)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    origin, other = Origin(serving), Replica()
    made = Gateway(tmp_path_factory.mktemp("abuse"), configuration(
        service(origin), service(other, name="other", routes=[{"path": "/other"}]),
        gateway={"timeouts": {
            "response_idle": "500ms", "request_idle": "500ms", "request_head": "500ms"}})).start()
    made.origin = origin
    yield made
    made.finish()
    origin.stop()
    other.stop()


@pytest.fixture
def attack(gateway, capsys, request):
    """Runs an attack beside somebody else, and tells what it cost."""
    def run(work):
        other = Bystander(gateway.address)
        until(lambda: len(other.times) >= 200 or other.faults, "a base line")
        base, before, count = other.p99(), resident_bytes(gateway.pid), len(other.times)
        told = work()
        until(lambda: len(other.times) >= count + 100 or other.faults, "others go on")
        growth, during = resident_bytes(gateway.pid) - before, other.p99(count)
        other.stop()
        with capsys.disabled():
            print(f"\n{request.node.name}: {told}; {growth / MB:+.1f} MB; "
                  f"p99 of others {base:.1f} ms before, {during:.1f} ms during")
        assert not other.faults, other.faults
        assert growth < GROWTH
        assert during < 1000 * SLOWNESS, "others are served, if slower"
    return run


def cut(client, piece, most, at_once=50):
    """Sends a piece again and again until GOAWAY comes: how many were sent, and the frame. Some
    may have been on their way when it was cut: what counts exactly, the frame tells."""
    sent = 0
    try:
        while sent < most:
            client.send(*[piece(sent + place) for place in range(at_once)])
            sent += at_once
            while select.select([client.socket], [], [], 0)[0]:
                got = client.next()
                if got.kind == GOAWAY:
                    return sent, got
    except (BrokenPipeError, ConnectionResetError, EOFError):
        pass  # It may have been the end of what was sent; what was said is still to be read.
    client.rest()
    goodbyes = [got for got in client.seen if got.kind == GOAWAY]
    assert goodbyes, f"{sent} were sent, and nobody minds"
    return sent, goodbyes[0]


def last_stream(goodbye):
    return int.from_bytes(goodbye.payload[:4], "big")


def test_rapid_reset(gateway, attack):
    def work():
        began = []
        for _ in range(20):
            with RawClient(gateway.address) as client:
                _, goodbye = cut(client, lambda n: head(2 * n + 1) + frame(
                    RST, 0, 2 * n + 1, number(8)), 20_000)
                assert goodbye.code == CALM
                began.append((last_stream(goodbye) + 1) // 2)
        assert max(began) <= 1000
        return f"20 connections cut after {min(began)} to {max(began)} streams"
    attack(work)


SELF_MADE = {
    "window by nothing": lambda s: head(s, POST, False) + frame(WINDOW, 0, s, number(0)),
    "window too large": lambda s: head(s, POST, False) + frame(
        WINDOW, 0, s, number((1 << 31) - 1)),
    "malformed head": lambda s: head(s, GET + (("connection", "close"),)),
    "wrong length": lambda s: head(s, POST + (("content-length", "9"),), False) + frame(
        DATA, END_STREAM, s, b"x"),
    "data behind the end": lambda s: head(s) + frame(DATA, END_STREAM, s, b"x"),
    "priority of a wrong size": lambda s: head(s, POST, False) + frame(PRIORITY, 0, s, b"1234"),
}


@pytest.mark.parametrize("way", SELF_MADE)
def test_resets_that_the_gateway_is_made_to_send(gateway, attack, way):
    def work():
        with RawClient(gateway.address) as client:
            _, goodbye = cut(client, lambda n: SELF_MADE[way](2 * n + 1), 5000, at_once=5)
            resets = sum(got.kind == RST and got.code != REFUSED for got in client.seen)
            # Some of it ends the connection at once, without a reset.
            assert goodbye.code == CALM or resets == 0
            assert resets <= 150 and last_stream(goodbye) <= 300
            return f"cut after {resets} resets, code {goodbye.code}"
    attack(work)


def test_streams_beyond_a_limit_that_is_never_acknowledged(gateway, attack):
    def work():
        with RawClient(gateway.address) as client:
            _, goodbye = cut(client, lambda n: head(2 * n + 1, POST, ends=False), 50_000)
            refused = sum(got.kind == RST and got.code == REFUSED for got in client.seen)
            assert goodbye.code == CALM and refused <= 501
            return f"cut after {refused} refusals"
    attack(work)
    gateway.settle()


@pytest.mark.parametrize("size", [0, 1, 100, 16_384])
def test_continuation_without_end(gateway, attack, size):
    def work():
        with RawClient(gateway.address) as client:
            fragment = block([("x" * min(size, 50), "y" * (size - 60))]) if size > 100 else \
                bytes(size)
            client.send(head(1, flags=0))
            sent, goodbye = cut(client, lambda _: frame(CONTINUATION, 0, 1, fragment), 30_000,
                                at_once=1)
            total = sent * (len(fragment) + 9)
            assert goodbye.code in (CALM, 9)
            # 64 KB count; the rest was on its way.
            assert total <= 8 * MB
            return f"cut after at most {sent} frames, {total} bytes sent, code {goodbye.code}"
    attack(work)


FLOODS = {
    "PING": lambda n: frame(PING, 0, 0, n.to_bytes(8, "big")),
    "PING answers": lambda n: frame(PING, ACK, 0, bytes(8)),
    "SETTINGS": lambda n: setting((4, 65_535 + n % 7)),
    "empty SETTINGS": lambda n: setting(),
    "PRIORITY": lambda n: frame(PRIORITY, 0, 2 * n + 1, number(0) + b"\x10"),
    "WINDOW_UPDATE": lambda n: frame(WINDOW, 0, 0, number(1)),
    "WINDOW_UPDATE of a stream": lambda n: frame(WINDOW, 0, 1, number(1)),
    "empty DATA": lambda n: frame(DATA, 0, 1, b""),
    "padding": lambda n: frame(DATA, PADDED, 1, b"\x01\0"),
    "unknown frames": lambda n: frame(0x99, 0, 1, b"x"),
    "PRIORITY_UPDATE": lambda n: frame(0x10, 0, 0, number(2 * n + 1) + b"u=1"),
}


@pytest.mark.parametrize("reads", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("kind", FLOODS)
def test_floods_of_what_moves_nothing(gateway, attack, kind, reads):
    def work():
        with RawClient(gateway.address) as client:
            client.send(head(1, POST, ends=False))
            if not reads:  # Answers pile up: their number is limited as well.
                sent = unread(client, FLOODS[kind])
                return f"{sent} sent without reading, then cut"
            sent = 0
            try:
                while sent < 20_000:
                    client.send(*[FLOODS[kind](sent + place) for place in range(100)])
                    sent += 100
                    client.pinged()
            except (EOFError, ConnectionResetError, BrokenPipeError):
                pass  # As it should be; what was said is looked at.
            told = [got.code for got in client.seen if got.kind == GOAWAY]
            assert told == [CALM] and sent <= 5000
            return f"cut after {sent} frames"
    attack(work)


def unread(client, piece):
    """Sends until the gateway has had enough, without ever reading."""
    sent = 0
    try:
        while sent < 2_000_000:
            client.send(*[piece(sent + place) for place in range(1000)])
            sent += 1000
    except OSError:
        return sent
    raise AssertionError(f"{sent} were sent, and nobody minds")


def test_bodies_in_pieces_of_one_byte(gateway, attack):
    def work():
        pieces = frame(DATA, 0, 1, b"x") * 1_000

        def flood(client):
            for _ in range(60):
                client.send(pieces)
            client.send(frame(DATA, END_STREAM, 1, b"x"))
            while not any(got.ends and got.stream == 1 for got in client.seen):
                client.next()
        clients = [RawClient(gateway.address) for _ in range(4)]
        for client in clients:
            client.send(head(1, POST, ends=False))
        threads = [threading.Thread(target=flood, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            body = b"".join(got.payload for got in client.seen if got.kind == DATA)
            assert body == b"x" * 60_001
            client.close()
        return f"{len(clients)} bodies of 60,001 pieces, passed on whole and back"
    attack(work)
    gateway.settle()


def test_windows_that_never_open(gateway, attack):
    def work():
        clients = [RawClient(gateway.address, settings=[(4, 0)]) for _ in range(2)]
        large = GET[:3] + ((":path", "/large"),)
        for client in clients:
            client.send(*[head(2 * n + 1, large) for n in range(100)])
        began = time.monotonic()
        for client in clients:
            waiting = set(range(1, 200, 2))
            while waiting:
                got = client.until(lambda got: got.kind in (RST, GOAWAY))
                waiting = waiting - {got.stream} if got.kind == RST else set()
            client.close()
        return f"200 stalled answers reaped in {time.monotonic() - began:.1f} s"
    attack(work)
    gateway.settle()


def test_windows_that_open_byte_by_byte(gateway, attack):
    def work():
        large = GET[:3] + ((":path", "/large"),)
        with RawClient(gateway.address, settings=[(4, 1)]) as client:
            client.send(head(1, large))
            began, opened = time.monotonic(), 0
            while True:
                got = client.next()
                if got.kind in (RST, GOAWAY):
                    return f"cut {time.monotonic() - began:.1f} s in, after {opened} bytes"
                if got.kind == DATA:
                    opened += 1
                    client.send(frame(WINDOW, 0, 1, number(1)), frame(WINDOW, 0, 0, number(1)))
    attack(work)


def test_a_small_block_for_a_large_head(gateway, attack):
    def work():
        # One field of 4,000 bytes enters the table; then single bytes name it again and again.
        fields = block(GET) + b"\x40" + literal("x") + literal("y" * 3_900)
        for _ in range(20):
            with RawClient(gateway.address) as client:
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, fields + b"\xbe" * 500))
                # 2 MB are too much for a head, and not yet for a connection.
                assert client.status(1) == 431
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, fields + b"\xbe" * 12_000))
                assert client.until(lambda got: got.kind == GOAWAY).code == CALM
        return "20 connections cut in the middle of a head of 48 MB in 16 KB"
    attack(work)


OVER = {
    "empty DATA": (frame(DATA, 0, 1, b""), 1_000),
    "DATA": (frame(DATA, 0, 1, b"x"), 10_000),
    "heads": (head(1, (("x", "y"),), ends=False), 100),
}


@pytest.mark.parametrize("kind", OVER)
def test_floods_for_a_stream_that_has_been_answered(gateway, attack, kind):
    piece, most = OVER[kind]

    def work():
        with RawClient(gateway.address) as client:
            client.send(head(1, POST + (("content-length", "999999999999"),), ends=False))
            assert client.status(1) == 413
            client.until(lambda got: got.kind == RST)
            sent, goodbye = cut(client, lambda _: piece, 40 * most)
            assert goodbye.code == CALM
            return f"cut after at most {sent}"
    attack(work)


def test_heads_that_never_end(gateway, attack):
    def work():
        clients = [RawClient(gateway.address) for _ in range(200)]
        for client in clients:
            client.send(frame(HEADERS, END_STREAM, 1, block(GET)))
        began = time.monotonic()
        for client in clients:
            client.rest()
            client.close()
        return f"200 given up in {time.monotonic() - began:.1f} s"
    attack(work)


def test_bodies_that_never_end(gateway, attack):
    def work():
        with RawClient(gateway.address) as client:
            client.send(*[head(2 * n + 1, POST, ends=False) for n in range(100)])
            began, open_streams = time.monotonic(), set(range(1, 200, 2))
            while open_streams:
                got = client.until(lambda got: got.kind == RST or got.ends)
                open_streams.discard(got.stream)
            return f"100 given up in {time.monotonic() - began:.1f} s"
    attack(work)
    gateway.settle()
