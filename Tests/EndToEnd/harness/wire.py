# A raw client: exact bytes out, strict messages in, and how a connection ended.

import json
import socket
import struct
import threading

from harness.messages import (Response, Stream, compose, framing, has_body, read_chunked,
                              read_head)
from harness.waiting import PATIENCE, Stopwatch, until


def open_socket(address, source=None, receive_buffer=None, segment=None):
    """A connected socket for `host:port`, `[v6]:port` or `unix:/path`."""
    if address.startswith("unix:"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        target = address.removeprefix("unix:")
    else:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = (host, int(port))
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if segment:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    if source:
        made.bind((source, 0))
    made.settimeout(PATIENCE)
    made.connect(target)
    return made


class Listening:
    """A port of its own, and a thread for each connection that comes, until it is closed."""

    def __init__(self, serve, receive_buffer=None):
        self._serve = serve
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.settimeout(6 * PATIENCE)  # The story's own patience ends first.
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()


class Connection:
    """One connection of a client."""

    def __init__(self, address, source=None, receive_buffer=None, segment=None):
        self.socket = open_socket(address, source, receive_buffer, segment)
        self.stream = Stream(lambda: self.socket.recv(65536))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def request(self, method="GET", target="/", headers=(), body=None, host="test.local"):
        """Sends a request and reads its answer."""
        self.send(compose(method, target, headers, body, host))
        return self.response(method)

    def get(self, target="/", headers=()):
        return self.request("GET", target, headers)

    def post(self, target="/", body=b"", headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers = list(dict(headers).items()) + [("Content-Type", "application/json")]
        return self.request("POST", target, headers, body)

    def response_head(self):
        """The final answer's head, interim ones aside; its body is still to be read."""
        interim = []
        while True:
            parts = read_head(self.stream)
            if parts is None:
                raise EOFError("the connection ended before an answer")
            line, headers, raw = parts
            answer = Response(line, headers, head=raw, interim=interim)
            if answer.status >= 200 or answer.status == 101:
                return answer
            interim.append(answer)

    def interim_head(self):
        """The next head, interim or not."""
        line, headers, raw = read_head(self.stream)
        return Response(line, headers, head=raw)

    def response(self, method="GET", on_chunk=None):
        answer = self.response_head()
        return self.read_body(answer, method, on_chunk)

    def read_body(self, answer, method="GET", on_chunk=None):
        size = framing(answer.headers)
        if not has_body(method, answer.status):
            return answer
        if size == "chunked":
            answer.body, answer.chunks, answer.trailers = read_chunked(self.stream, on_chunk)
        elif size is not None:
            answer.body = self.stream.exactly(size)
        else:
            answer.body = self.stream.rest()
        return answer

    def chunk(self):
        """One chunk of a chunked answer; empty at the last."""
        size = int(self.stream.line(), 16)
        data = self.stream.exactly(size)
        self.stream.exactly(2)
        return data

    def ending(self):
        """'end' or 'reset', once the peer closes without a further byte."""
        try:
            rest = self.stream.rest()
        except ConnectionResetError:
            return "reset"
        assert rest == b"", f"unexpected bytes before the end: {rest[:300]!r}"
        return "end"

    def rest(self):
        """Everything up to the end of the stream."""
        return self.stream.rest()

    def is_open(self):
        """No end of stream has come yet. For connections on which nothing is expected."""
        return self.peek() not in (b"", "reset")

    def peek(self):
        """What is there to be read, at once: a byte, b"" at the end, "reset", or None."""
        # A socket with a timeout would wait for it, whatever the flags say.
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            return "reset"
        finally:
            self.socket.settimeout(PATIENCE)

    def drip(self, data, seconds):
        """Sends `data` every so many seconds until there is an answer or an end."""
        watch, sent = Stopwatch(), [0]

        def is_answered():
            try:
                if watch.seconds >= sent[0] * seconds:
                    sent[0] += 1
                    self.send(data)
            except OSError:
                return True
            return self.peek() is not None
        until(is_answered, "the gateway has had enough", 40)

    def finish_writing(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    @property
    def local_port(self):
        return self.socket.getsockname()[1]


def fetch(address, method="GET", target="/", headers=(), body=None, host="test.local", source=None):
    """One request on a connection of its own."""
    with Connection(address, source) as connection:
        return connection.request(method, target, headers, body, host)
