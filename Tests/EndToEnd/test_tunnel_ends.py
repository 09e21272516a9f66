# The ends of tunnels: what a client said last reaches the replica before its end does, whichever
# protocol either side speaks, and a protocol that is not let through is refused at once.

import threading

import pytest

from h2.settings import SettingCodes

from harness.configuration import service
from harness.http2 import Client

pytestmark = pytest.mark.core

AGREE = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Accept: x\r\n\r\n")


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
