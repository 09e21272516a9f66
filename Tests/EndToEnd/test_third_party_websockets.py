# WebSocket as others wrote it: the client and the server of `websockets`, hypercorn behind HTTP/2,
# with the gateway between them, which has to make up what one version needs and the other lacks.

import pathlib
import ssl
import sys
import textwrap
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.waiting import until
from test_third_party_servers import Server, lonely_address

MiB = 1024 * 1024


@pytest.fixture
def chat():
    """A server that sends back what it gets, and keeps what was said when a peer left."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import serve
    closed = []

    def answer(socket):
        try:
            for message in socket:
                socket.send(message)
        except ConnectionClosed:
            pass  # Kept below.
        finally:
            closed.append((socket.close_code, socket.close_reason))
    server = serve(
        answer, "127.0.0.1", 0, max_size=20 * MiB, select_subprotocol=lambda _, offered: next(
            (name for name in offered if name == "first"), None))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.closed = closed
    server.address = "127.0.0.1:%d" % server.socket.getsockname()[1]
    yield server
    server.shutdown()
    thread.join(20)


@pytest.fixture(params=["cleartext", "tls"])
def joined(request, chat, start_gateway, folder):
    """Connects to the server through the gateway."""
    from websockets.sync.client import connect
    behind = service(chat.address, upgrades=["websocket"])
    if request.param == "cleartext":
        gateway = start_gateway(behind)
        return lambda **more: connect(f"ws://{gateway.address}/chat", max_size=20 * MiB, **more)
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    gateway = start_gateway(behind, gateway={"listeners": [{
        "address": "127.0.0.1:0", "tls": {"certificate": made.certificate, "key": made.key}}]})
    trusting = ssl.create_default_context(cafile=authority.certificate)
    return lambda **more: connect(
        f"wss://{gateway.address}/chat", ssl=trusting, server_hostname="test.local",
        max_size=20 * MiB, **more)


def test_messages_of_all_sizes_come_back(joined):
    with joined() as socket:
        for message in ("", "hello", "ü" * 100_000, b"", b"\x00\xff" * 5 * MiB):
            socket.send(message)
            assert socket.recv(timeout=30) == message


def test_what_was_agreed_on_is_agreed_on_through_the_gateway(joined):
    with joined(subprotocols=["first", "third"]) as socket:
        assert socket.subprotocol == "first"
        assert "permessage-deflate" in socket.response.headers["sec-websocket-extensions"]


def test_pings_are_answered_by_the_other_end(joined):
    with joined() as socket:
        assert socket.ping(b"are you there").wait(20)


def test_fragments_stay_a_message(joined):
    with joined(compression=None) as socket:
        socket.send(["one ", "two ", "three"])
        assert socket.recv(timeout=30) == "one two three"


def test_a_close_tells_its_code_and_reason(joined, chat):
    socket = joined()
    socket.close(4001, "done here")
    until(lambda: chat.closed, "the server hears of it")
    assert chat.closed == [(4001, "done here")]


def test_a_hundred_sockets_at_once(joined):
    sockets = [joined() for _ in range(100)]
    for number, socket in enumerate(sockets):
        socket.send(f"socket {number}")
    for number, socket in enumerate(sockets):
        assert socket.recv(timeout=30) == f"socket {number}"
        socket.close()


# --- HTTP/1.1 on one side, HTTP/2 on the other -------------------------------------------------

APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        text, data = event.get("text"), event.get("bytes")
        if text == "which":
            text = scope["http_version"]
        await send({"type": "websocket.send", "text": text, "bytes": data})
"""


@pytest.fixture
def hypercorn(folder):
    place = folder / "hyper"
    place.mkdir()
    (place / "application.py").write_text(textwrap.dedent(APPLICATION))
    host, ports = lonely_address()
    server = Server(sys.executable, "-m", "hypercorn", "application:app", "--bind",
                    f"{host}:{ports[0]}", folder=place)
    server.address = f"{host}:{ports[0]}"
    log = pathlib.Path(place / "server.log")
    try:
        until(lambda: "Running on" in log.read_text(), "hypercorn listens", 60)
        yield server
    finally:
        server.stop()


def test_a_client_of_http1_reaches_a_server_of_http2(hypercorn, start_gateway):
    from websockets.sync.client import connect
    gateway = start_gateway(service(upgrades=["websocket"], revisions=[
        {"name": "stable", "protocol": "h2", "endpoints": [hypercorn.address]}]))
    for _ in range(3):
        with connect(f"ws://{gateway.address}/chat") as socket:
            socket.send("which")
            assert socket.recv(timeout=30) == "2"
            for message in ("hello", b"\x01" * 200_000):
                socket.send(message)
                assert socket.recv(timeout=30) == message
