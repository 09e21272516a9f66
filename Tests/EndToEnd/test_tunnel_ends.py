# The ends of tunnels: what a client said last reaches the replica before its end does, whichever
# protocol either side speaks, and a protocol that is not let through is refused at once.

import threading

import h2.events
import pytest

from h2.settings import SettingCodes

from harness.configuration import service
from harness.http2 import Client
from harness.messages import compose
from harness.origin import held
from harness.wire import Connection

pytestmark = pytest.mark.core

ASK = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
AGREE = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Accept: x\r\n\r\n")
SIZES = [5, 50_000, 2_000_000]


class Listening:
    """A replica that agrees to a tunnel, hears all of it, and has a last word."""

    def __init__(self, start_origin, protocol):
        self.heard, self.ended = b"", threading.Event()
        scripts = {"http1": self.plain, "h2": self.framed}
        self.origin = start_origin(
            scripts[protocol], **({"http2": True, "settings": {
                SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}} if protocol == "h2" else {}))
        self.service = service(
            upgrades=["websocket"], revisions=[{
                "name": "stable", "protocol": protocol, "endpoints": [self.origin.address]}])

    def plain(self, exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        self.heard = exchange.connection.stream.rest()
        self.ended.set()
        exchange.send(b"bye")
        exchange.connection.close()

    def framed(self, exchange):
        exchange.head(200)
        self.heard = exchange.read_body()
        if exchange.reset is None:
            self.ended.set()
            exchange.data(b"bye", ends=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("protocol", ["http1", "h2"])
@pytest.mark.parametrize("leaves", [True, False], ids=["closed", "half-closed"])
def test_the_last_bytes_of_a_client_arrive(
        start_origin, start_gateway, protocol, size, leaves):
    replica = Listening(start_origin, protocol)
    gateway = start_gateway(replica.service, gateway={"workers": 1})
    client = Connection(gateway.address)
    client.send(compose("GET", "/chat", ASK))
    assert client.response_head().status == 101
    client.send(b"x" * size)
    if leaves:
        client.close()
    else:
        client.socket.shutdown(1)
        assert client.stream.rest() == b"bye", "and is answered"
        client.close()
    assert replica.ended.wait(20)
    assert len(replica.heard) == size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_the_last_bytes_of_a_client_over_http2_arrive(
        start_origin, start_gateway, protocol, size):
    replica = Listening(start_origin, protocol)
    gateway = start_gateway(replica.service, gateway={"workers": 1})
    with Client(gateway.address) as client:
        stream = client.begin("CONNECT", "/chat", {"sec-websocket-version": "13"}, ends=False,
                              more=[(":protocol", "websocket")])
        assert client.head(stream).status == 200
        client.data(stream, b"x" * size, ends=True)
        assert client.answer(stream).body == b"bye"
    assert replica.ended.wait(20)
    assert len(replica.heard) == size


@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_a_replica_that_does_not_end_is_left(start_origin, start_gateway, protocol):
    left = threading.Event()

    def plain(exchange):
        exchange.is_body_read = True
        exchange.send(AGREE)
        exchange.client_left()
        left.set()

    def framed(exchange):
        exchange.head(200)
        exchange.wait_for_reset()
        left.set()
    replica = start_origin(plain) if protocol == "http1" else start_origin(
        framed, http2=True, settings={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    gateway = start_gateway(service(upgrades=["websocket"], revisions=[{
        "name": "stable", "protocol": protocol, "endpoints": [replica.address]}]))
    with gateway.connect() as client:
        client.send(compose("GET", "/chat", ASK))
        assert client.response_head().status == 101
    assert left.wait(20)


@pytest.mark.parametrize("protocol", ["http1", "h2"])
def test_an_extended_connect_that_is_not_let_through_is_refused(
        start_origin, start_gateway, protocol):
    replica = Listening(start_origin, protocol)
    gateway = start_gateway(replica.service)
    with Client(gateway.address) as client:
        stream = client.begin("CONNECT", "/chat", ends=False, more=[(":protocol", "mqtt")])
        answer = client.answer(stream)
        assert (answer.status, answer.error) == (501, "protocol_not_allowed")
    assert not replica.origin.requests


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\nX-Penstock-Client-Subject: CN=root\r\n\r\n"


@pytest.mark.parametrize("protocol", ["http1", "h2"])
@pytest.mark.parametrize("agrees", [True, False], ids=["agrees", "refuses"])
def test_what_a_client_says_before_a_replica_has_agreed_is_no_request(
        start_origin, start_gateway, protocol, agrees):
    go, heard = threading.Event(), []

    def plain(exchange):
        assert go.wait(20)
        if exchange.request.target == "/chat" and agrees:
            exchange.is_body_read = True
            exchange.send(AGREE)
            heard.append(exchange.connection.stream.rest())
            exchange.connection.close()
        else:
            exchange.answer(404 if exchange.request.target == "/chat" else 200, b"no tunnel")

    def framed(exchange):
        assert go.wait(20)
        if exchange.path == "/chat" and agrees:
            exchange.head(200)
            heard.append(exchange.read_body())
            exchange.end()
        else:
            exchange.head(404 if exchange.path == "/chat" else 200)
            exchange.data(b"no tunnel", ends=True)
    replica = start_origin(plain) if protocol == "http1" else start_origin(
        framed, http2=True, settings={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    gateway = start_gateway(
        service(upgrades=["websocket"], revisions=[{
            "name": "stable", "protocol": protocol, "endpoints": [replica.address]}]),
        gateway={"workers": 1})
    with Client(gateway.address) as client:
        stream = client.begin("CONNECT", "/chat", {"sec-websocket-version": "13"}, ends=False,
                              more=[(":protocol", "websocket")])
        client.data(stream, SMUGGLED)
        client.h2.ping(b"are you?")
        client.flush()
        client.until(lambda: any(isinstance(event, h2.events.PingAckReceived)
                                 for event in client.events))
        go.set()
        assert client.head(stream).status == (200 if agrees else 404)
        if agrees:
            client.data(stream, ends=True)
        client.answer(stream)
        assert client.request("GET", "/next").status == 200
    assert heard == ([SMUGGLED] if agrees else [])
    asked = [getattr(request, "target", None) or request.path for request in replica.requests]
    assert asked == ["/chat", "/next"]


def test_a_replica_that_says_nothing_to_a_wish_for_a_tunnel_is_told_as_such(
        start_origin, start_gateway):
    replica = start_origin(held(threading.Event()))
    gateway = start_gateway(
        service(replica, upgrades=["websocket"], timeouts={"first_byte": "300ms"}))
    with Client(gateway.address) as client:
        stream = client.begin("CONNECT", "/chat", ends=False, more=[(":protocol", "websocket")])
        answer = client.answer(stream)
        assert (answer.status, answer.error) == (504, "first_byte_timeout")
