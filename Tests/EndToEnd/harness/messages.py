# HTTP/1.1 messages as bytes and values, read strictly: what is not exactly framed is `Truncated` or
# `Malformed`, so that no story passes because its own client was lenient.

import json
from dataclasses import dataclass, field


class Truncated(Exception):
    """The stream ended inside a message."""


class Malformed(Exception):
    """Bytes that are no HTTP/1.1 message."""


class Fields(list):
    """Header fields in order, names as they were sent."""

    def all(self, name):
        return [value for key, value in self if key.lower() == name.lower()]

    def get(self, name, default=None):
        """The value of a field that may stand there once at most."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} is repeated: {values}")
        return values[0] if values else default

    def has(self, name):
        return bool(self.all(name))

    @property
    def names(self):
        return [key.lower() for key, _ in self]


@dataclass
class Message:
    first_line: str
    headers: Fields
    body: bytes = b""
    trailers: Fields = field(default_factory=Fields)
    head: bytes = b""
    chunks: list = field(default_factory=list)

    def header(self, name, default=None):
        return self.headers.get(name, default)

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


@dataclass
class Response(Message):
    interim: list = field(default_factory=list)

    @property
    def version(self):
        return self.first_line.split(" ", 2)[0]

    @property
    def status(self):
        return int(self.first_line.split(" ", 2)[1])

    @property
    def reason(self):
        return (self.first_line.split(" ", 2) + [""])[2]

    @property
    def error(self):
        """The gateway's own code; nothing when a replica answered."""
        return self.header("x-penstock-error")


@dataclass
class Request(Message):
    number: int = 0
    connection: object = None

    @property
    def method(self):
        return self.first_line.split(" ")[0]

    @property
    def target(self):
        return self.first_line.split(" ")[1]

    @property
    def version(self):
        return self.first_line.split(" ")[2]


class Stream:
    """Buffered reading of exact pieces from a function that receives bytes."""

    def __init__(self, receive):
        self._receive = receive
        self.buffer = b""

    def fill(self):
        """Reads more; False at the end of the stream."""
        piece = self._receive()
        self.buffer += piece
        return bool(piece)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Truncated(f"in a line: {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count):
        pieces, have = [self.buffer], len(self.buffer)
        while have < count:
            piece = self._receive()
            if not piece:
                raise Truncated(f"{have} of {count} bytes")
            pieces.append(piece)
            have += len(piece)
        whole = b"".join(pieces)
        self.buffer = whole[count:]
        return whole[:count]

    def rest(self):
        pieces = [self.buffer]
        while piece := self._receive():
            pieces.append(piece)
        self.buffer = b""
        return b"".join(pieces)


def read_head(stream):
    """First line, fields and the exact bytes; None when the stream ends before the first byte."""
    while b"\r\n\r\n" not in stream.buffer:
        if not stream.fill():
            if stream.buffer:
                raise Truncated(f"in a head: {stream.buffer!r}")
            return None
    head, stream.buffer = stream.buffer.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    return lines[0], parse_fields(lines[1:]), head + b"\r\n\r\n"


def parse_fields(lines):
    fields = Fields()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"field {line!r}")
        fields.append((name, value.strip(" \t")))
    return fields


def read_chunked(stream, on_chunk=None):
    """The decoded body, its chunks and its trailers."""
    chunks = []
    while True:
        size_text = stream.line().split(b";")[0]
        if not size_text or any(c not in b"0123456789abcdefABCDEF" for c in size_text):
            raise Malformed(f"chunk size {size_text!r}")
        size = int(size_text, 16)
        if size == 0:
            break
        chunks.append(stream.exactly(size))
        if stream.exactly(2) != b"\r\n":
            raise Malformed("no CRLF behind a chunk")
        if on_chunk:
            on_chunk(chunks[-1])
    lines = []
    while line := stream.line():
        lines.append(line.decode("latin-1"))
    return b"".join(chunks), chunks, parse_fields(lines)


def framing(headers):
    """'chunked', a length, or None."""
    codings, lengths = headers.all("transfer-encoding"), headers.all("content-length")
    if codings and lengths:
        raise Malformed("both Transfer-Encoding and Content-Length")
    if codings:
        if codings != ["chunked"]:
            raise Malformed(f"Transfer-Encoding {codings}")
        return "chunked"
    if lengths:
        if len(lengths) > 1 or not lengths[0].isdigit():
            raise Malformed(f"Content-Length {lengths}")
        return int(lengths[0])
    return None


def has_body(method, status):
    return not (method == "HEAD" or status in (204, 304) or 100 <= status < 200)


def compose(method="GET", target="/", headers=(), body=None, host="test.local", version="1.1"):
    """A request as bytes: headers are pairs or a map; Content-Length is added for a body."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in pairs]
    data = body.encode() if isinstance(body, str) else body
    if data is not None and not any(n.lower() == "transfer-encoding" for n, _ in pairs):
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (data or b"")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
