# A browser over TLS and HTTP/2: pages, fetch with streams, events, an upload, and WebSocket through
# extended CONNECT, all by the page's own scripts, which send what they saw to the origin.

import base64
import hashlib
import json
import shutil
import subprocess
import tempfile
import threading

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.messages import LAST_CHUNK, chunk
from harness.waiting import until

PAGE = """<!doctype html><title>page</title><script type="module">
const seen = {};
async function step(name, work) {
  try { seen[name] = await work(); } catch (fault) { seen[name] = String(fault); }
}
await step("version", () => performance.getEntriesByType("navigation")[0].nextHopProtocol);
await step("many", async () => {
  const answers = await Promise.all(
    [...Array(100).keys()].map(n => fetch("/word/" + n).then(a => a.text())));
  return answers.every((text, n) => text === "word " + n);
});
await step("upload", async () => {
  const answer = await fetch("/size", {method: "POST", body: new Uint8Array(2_000_000)});
  return Number(await answer.text());
});
await step("stream", async () => {
  const reader = (await fetch("/large")).body.getReader();
  let total = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return total;
    total += value.length;
  }
});
await step("events", () => new Promise((resolve, reject) => {
  const got = [];
  const source = new EventSource("/events");
  source.onmessage = event => {
    got.push(event.data);
    if (got.length === 5) { source.close(); resolve(got.join(",")); }
  };
  source.onerror = () => reject("events failed");
}));
await step("cancel", async () => {
  const control = new AbortController();
  const answer = await fetch("/endless", {signal: control.signal});
  await answer.body.getReader().read();
  control.abort();
  return "aborted";
});
await step("socket", () => new Promise((resolve, reject) => {
  const socket = new WebSocket("wss://" + location.host + "/chat");
  const got = [];
  socket.onopen = () => { socket.send("one"); socket.send("x".repeat(100_000)); };
  socket.onmessage = event => {
    got.push(event.data.length);
    if (got.length === 2) { socket.close(); resolve(got.join(",")); }
  };
  socket.onerror = () => reject("socket failed");
}));
await step("error", async () => (await fetch("/other", {headers: {"x-lost": "1"}})).status);
await fetch("/report", {method: "POST", body: JSON.stringify(seen)});
</script>"""

EVENTS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frames_back(exchange):
    """The server's half of WebSocket: sends every text message back."""
    exchange.is_body_read = True
    key = exchange.request.headers.get("sec-websocket-key").encode()
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                  b"Upgrade: websocket\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    stream = exchange.connection.stream
    while True:
        first, second = stream.exactly(2)
        size = second & 127
        if size == 126:
            size = int.from_bytes(stream.exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(stream.exactly(8), "big")
        mask, data = stream.exactly(4), stream.exactly(size)
        text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        head = bytes([first]) + (
            bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65536
            else b"\x7f" + size.to_bytes(8, "big"))
        exchange.send(head + text)
        if first & 15 == 8:
            return exchange.connection.close()


class Site:
    def __init__(self):
        self.report = None
        self.socket_fields = []
        self.cancelled = threading.Event()

    def serve(self, exchange):
        path = exchange.request.target
        if path == "/chat":
            self.socket_fields = [name for name, _ in exchange.request.headers]
            return frames_back(exchange)
        body = exchange.read_body()
        if path == "/":
            exchange.answer(200, PAGE.encode(), {"Content-Type": "text/html"})
        elif path.startswith("/word/"):
            exchange.answer(200, b"word " + path[6:].encode())
        elif path == "/size":
            exchange.answer(200, str(len(body)).encode())
        elif path == "/large":
            exchange.answer(200, bytes(5_000_000))
        elif path == "/events":
            self.begin(exchange, EVENTS)
            for number in range(5):
                exchange.send(chunk(b"data: event %d\n\n" % number))
            exchange.send(LAST_CHUNK)
        elif path == "/endless":
            self.begin(exchange, {})
            exchange.send(chunk(b"x" * 1000))
            exchange.client_left()
            self.cancelled.set()
        elif path == "/report":
            self.report = json.loads(body)
            exchange.answer(204)
        else:
            exchange.answer(404)

    @staticmethod
    def begin(exchange, headers):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + lines.encode()
                      + b"\r\n")


@pytest.fixture
def browse(folder):
    """Opens a page without a window, in a profile of its own."""
    path = shutil.which("chromium")
    assert path, "chromium is missing; `make deps` installs it"
    started = []

    def open_page(url):
        profile = tempfile.mkdtemp(dir=folder)
        started.append(subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-proxy-server", f"--user-data-dir={profile}",
             "--ignore-certificate-errors", "--host-resolver-rules=MAP test.local 127.0.0.1",
             "--remote-debugging-port=0", url],
            stdout=subprocess.DEVNULL, stderr=open(folder / "chromium.log", "wb"),
            start_new_session=True))
    yield open_page
    for process in started:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_browser_is_served_all_it_asks_for(start_origin, start_gateway, folder, browse):
    site = Site()
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    gateway = start_gateway(
        service(start_origin(site.serve), upgrades=["websocket"]),
        gateway={"listeners": [{"address": "127.0.0.1:0", "tls": {
            "certificate": made.certificate, "key": made.key}}]})
    port = gateway.address.split(":")[1]
    browse(f"https://test.local:{port}/")
    until(lambda: site.report is not None, "the page tells what it has seen", 90)
    assert site.report == {
        "version": "h2", "many": True, "upload": 2_000_000, "stream": 5_000_000,
        "events": "event 0,event 1,event 2,event 3,event 4", "cancel": "aborted",
        "socket": "3,100000", "error": 404}
    assert site.cancelled.wait(20), "what the page no longer wants is cancelled at the origin"
    # Over HTTP/1.1 the browser writes `Sec-WebSocket-Key`: this came as extended CONNECT.
    assert "sec-websocket-key" in site.socket_fields
