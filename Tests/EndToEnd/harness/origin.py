# Scripted origins: servers that do exactly what a story says, byte by byte, and remember exactly
# what they received. One thread for each connection; a script is a function of one exchange.

import json
import socket
import struct
import threading

from harness.messages import (Fields, Malformed, Request, Stream, Truncated, compose, framing,
                              read_chunked, read_head)

REASONS = {200: "OK", 204: "No Content", 304: "Not Modified", 500: "Internal Server Error",
           503: "Service Unavailable", 404: "Not Found"}


class Exchange:
    """One request at an origin, and the means to answer it in any way."""

    def __init__(self, origin, connection, request):
        self.origin = origin
        self.connection = connection
        self.request = request
        self.is_body_read = framing(request.headers) in (None, 0)

    def read_body(self):
        """The whole body, decoded; trailers and chunks are kept in the request."""
        if not self.is_body_read:
            self.is_body_read = True
            stream, size = self.connection.stream, framing(self.request.headers)
            if size == "chunked":
                parts = read_chunked(stream)
                self.request.body, self.request.chunks, self.request.trailers = parts
            else:
                self.request.body = stream.exactly(size)
        return self.request.body

    def send(self, data):
        self.connection.send(data)

    def answer(self, status=200, body=b"", headers=(), reason=None):
        """A whole answer with Content-Length; the body of the request is read first."""
        self.read_body()
        data = body.encode() if isinstance(body, str) else body
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        self.send(answer_bytes(status, data, pairs, reason, self.request.method))

    def answer_json(self, value, status=200, headers=()):
        self.answer(status, json.dumps(value), [("Content-Type", "application/json"), *headers])

    def wait(self, event, seconds=60):
        assert event.wait(seconds), "the story never released this exchange"

    def client_left(self):
        """Returns once the peer has closed; bytes that come first are a failure."""
        try:
            rest = self.connection.stream.rest()
        except ConnectionResetError:
            return
        assert rest == b"", rest[:200]


def answer_bytes(status=200, body=b"", headers=(), reason=None, method="GET"):
    lines = [f"HTTP/1.1 {status} {reason or REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if status not in (204, 304) and status >= 200:
        lines.append(f"Content-Length: {len(body)}")
    shown = b"" if method == "HEAD" or status in (204, 304) else body
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + shown


def echo(exchange):
    """What arrived, as JSON: the default script."""
    body = exchange.read_body()
    request = exchange.request
    exchange.answer_json({
        "origin": exchange.origin.name, "method": request.method, "target": request.target,
        "version": request.version, "headers": list(request.headers),
        "body": body.decode("latin-1")})


def fixed(body=b"ok", status=200, headers=()):
    """Always the same answer."""
    return lambda exchange: exchange.answer(status, body, headers)


def raw(data, then_close=True):
    """These bytes, whatever was asked."""
    def script(exchange):
        exchange.read_body()
        exchange.send(data)
        if then_close:
            exchange.connection.close()
    return script


def held(event, script=echo):
    """Answers once the event is set."""
    def waiting(exchange):
        exchange.read_body()
        exchange.wait(event)
        script(exchange)
    return waiting


def resetting(exchange):
    """Reads the request and resets the connection without a byte of an answer."""
    exchange.read_body()
    exchange.connection.reset()


class OriginConnection:
    """One accepted connection."""

    def __init__(self, accepted, number):
        self.socket = accepted
        self.number = number
        self.requests = 0
        self.is_open = True
        self.stream = Stream(lambda: accepted.recv(262144))

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def close(self):
        self.is_open = False
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The peer was first.
        self.socket.close()

    def reset(self):
        self.is_open = False
        # A zero linger makes the close a reset.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Origin:
    """A server on an ephemeral port (or a unix socket) that follows a script."""

    def __init__(self, script=echo, name="origin", path=None, host="127.0.0.1",
                 receive_buffer=None, tls=None):
        self.script = script
        self.tls = tls
        self._receive_buffer = receive_buffer
        self.name = name
        self.requests = []
        self.connections = []
        self.faults = []
        self.truncated = []
        self._lock = threading.Lock()
        self._path = path
        self._family = socket.AF_UNIX if path else (
            socket.AF_INET6 if ":" in host else socket.AF_INET)
        # Holds the port while nobody listens, so that refusing is refusing and nothing else.
        self._holder = None if path else self._bound((host, 0))
        self._name = path or self._holder.getsockname()[:2]
        self._listener = None
        self.listen()

    @property
    def address(self):
        if self._path:
            return f"unix:{self._path}"
        host, port = self._name
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _bound(self, name):
        made = socket.socket(self._family, socket.SOCK_STREAM)
        if self._family != socket.AF_UNIX:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(name)
        return made

    def listen(self):
        self._listener = self._bound(self._name)
        if self._receive_buffer:  # What is accepted inherits it.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        self._listener.listen(1024)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self):
        """From now on connecting is refused; what is connected stays."""
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def hang_up(self):
        """Closes every connection, as a process that ends does."""
        for connection in list(self.connections):
            if connection.is_open:
                connection.close()

    def die(self):
        """As a killed process: refuses, and resets what is connected."""
        self.refuse()
        for connection in list(self.connections):
            if connection.is_open:
                connection.reset()

    def stop(self):
        self.refuse()
        self.hang_up()
        if self._holder:
            self._holder.close()

    @property
    def open_connections(self):
        return sum(connection.is_open for connection in list(self.connections))

    @property
    def last(self):
        return self.requests[-1]

    def _accept(self, listener):
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            if self._family != socket.AF_UNIX:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                connection = OriginConnection(accepted, len(self.connections))
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection.socket = self.tls.wrap_socket(connection.socket, server_side=True)
                connection.stream = Stream(lambda: connection.socket.recv(262144))
            while connection.is_open and self._serve_one(connection):
                pass
        except (OSError, ValueError):
            pass  # The peer left in the middle; the story sees that on its own side.
        except Truncated as fault:
            self.truncated.append(fault)
        except (Malformed, AssertionError) as fault:
            self.faults.append(fault)
        finally:
            if connection.is_open:
                connection.close()

    def _serve_one(self, connection):
        parts = read_head(connection.stream)
        if parts is None:
            return False
        line, headers, head = parts
        request = Request(line, Fields(headers), head=head, connection=connection)
        with self._lock:
            request.number = len(self.requests)
            self.requests.append(request)
        connection.requests += 1
        exchange = Exchange(self, connection, request)
        self.script(exchange)
        if connection.is_open:
            exchange.read_body()
        return connection.is_open


__all__ = ["Exchange", "Origin", "answer_bytes", "compose", "echo", "fixed", "held", "raw",
           "resetting"]
