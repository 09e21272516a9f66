# Connections that leave HTTP: WebSocket and other upgrades pass where the service allows them, byte
# for byte and both ways, end together, and are stripped where it does not.

import threading

import pytest

from harness.configuration import service
from harness.messages import compose
from harness.origin import echo
from harness.waiting import SLOWNESS, Stopwatch, until

pytestmark = pytest.mark.core

ASK = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "eA==",
       "Sec-WebSocket-Version": "13"}
AGREE = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Accept: x\r\n\r\n")


def shouting(exchange):
    """Agrees, then sends every byte back in capitals until the peer ends."""
    exchange.is_body_read = True
    exchange.send(AGREE)
    stream = exchange.connection.stream
    while stream.buffer or stream.fill():
        data, stream.buffer = stream.buffer, b""
        exchange.send(data.upper())
    exchange.connection.close()


def test_an_allowed_upgrade_becomes_a_tunnel_both_ways(start_origin, start_gateway):
    replica = start_origin(shouting)
    gateway = start_gateway(service(replica, upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        answer = client.response_head()
        assert answer.status == 101
        assert answer.header("upgrade") == "websocket"
        assert answer.header("connection").lower() == "upgrade"
        assert answer.header("sec-websocket-accept") == "x"
        for word in (b"hello", b"\x00\x01\xff", b"z" * 100_000):
            client.send(word)
            assert client.stream.exactly(len(word)) == word.upper()
    request = replica.requests[0]
    assert request.headers.get("upgrade") == "websocket"
    assert request.headers.get("connection").lower() == "upgrade"
    assert request.headers.get("sec-websocket-key") == "eA=="


def test_bytes_sent_behind_the_request_reach_the_replica(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(shouting), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK) + b"early")
        assert client.response_head().status == 101
        assert client.stream.exactly(5) == b"EARLY"


def test_the_name_of_the_protocol_is_compared_without_case(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(shouting), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", {**ASK, "Upgrade": "WebSocket"}))
        assert client.response_head().status == 101


@pytest.mark.parametrize("upgrades", [[], ["mqtt"]])
def test_an_upgrade_that_is_not_allowed_goes_on_as_http(start_origin, start_gateway, upgrades):
    replica = start_origin(echo)
    gateway = start_gateway(service(replica, upgrades=upgrades))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response().status == 200
        assert client.is_open()
    assert not replica.requests[0].headers.has("upgrade")


def test_a_replica_that_declines_answers_as_http(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(echo), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response().status == 200
        client.send(compose("GET", "/again"))
        assert client.response().status == 200


def test_an_upgrade_nobody_asked_for_is_refused(start_origin, start_gateway):
    def script(exchange):
        exchange.send(AGREE)
    gateway = start_gateway(service(start_origin(script), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat"))
        answer = client.response()
        assert answer.status == 502 and answer.error == "replica_malformed"


def test_the_replicas_end_ends_the_client(start_origin, start_gateway):
    def script(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE + b"bye")
        exchange.connection.close()
    gateway = start_gateway(service(start_origin(script), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
        assert client.stream.rest() == b"bye"


def test_a_client_that_leaves_a_tunnel_frees_the_replica(start_origin, start_gateway):
    left = threading.Event()

    def script(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        exchange.client_left()
        left.set()
    gateway = start_gateway(service(start_origin(script), upgrades=["websocket"]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
    assert left.wait(20)


def test_a_tunnel_in_which_both_sides_fall_silent_is_cut(start_origin, start_gateway):
    gateway = start_gateway(service(
        start_origin(shouting), upgrades=["websocket"], timeouts={"stream_idle": "300ms"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
        assert client.ending() in ("end", "reset")


def test_a_tunnel_that_falls_silent_is_not_held_against_its_replica(start_origin, start_gateway):
    one, two = start_origin(shouting), start_origin(shouting)
    gateway = start_gateway(service(
        one, two, upgrades=["websocket"], timeouts={"stream_idle": "100ms"},
        ejection={"failures": 1}))
    for _ in range(4):
        with gateway.connect() as client:
            client.send(compose("GET", "/chat", ASK))
            assert client.response_head().status == 101
            assert client.ending() == "reset"
    metrics = gateway.admin.metrics()
    assert metrics.sum("penstock_requests_total", outcome="timeout") == 4
    assert metrics.sum("penstock_tries_total", outcome="cancelled") == 4
    assert metrics.sum("penstock_endpoint_ejected") == 0


def test_what_only_the_client_says_keeps_a_tunnel_alive(start_origin, start_gateway):
    heard = []

    def script(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        for _ in range(8):
            heard.append(exchange.connection.stream.exactly(1))
        exchange.send(b"done")
        exchange.connection.close()
    gateway = start_gateway(service(
        start_origin(script), upgrades=["websocket"],
        timeouts={"stream_idle": f"{int(800 * SLOWNESS)}ms", "request_idle": "300ms"}))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
        watch, sent = Stopwatch(), [0]

        def dripped():
            due = min(8, int(watch.seconds / (0.2 * SLOWNESS)))
            if due > sent[0]:
                client.send(b"x" * (due - sent[0]))
                sent[0] = due
            return sent[0] == 8
        until(dripped, "eight bytes are sent, one by one")
        assert client.stream.exactly(4) == b"done"
    assert len(heard) == 8
