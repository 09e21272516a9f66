# HTTP/2 byte by byte: frames as they are written, heads packed plainly, and both ends of a
# connection without a library that would refuse to misbehave.

import socket
import struct

import hpack

from harness.wire import Listening, open_socket

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED, ACK = 1, 4, 8, 32, 1
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = ((":method", "GET"), (":scheme", "http"), (":authority", "test.local"), (":path", "/"))
POST = ((":method", "POST"),) + GET[1:]


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(text):
    """A string of HPACK without Huffman's code; the prefix has seven bits."""
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return integer(len(data), 7) + data


def integer(value, bits, first=0):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def block(pairs):
    """Fields as literals that enter no table: every byte is the story's own."""
    return b"".join(b"\0" + literal(name) + literal(value) for name, value in pairs)


def head(stream=1, pairs=GET, ends=True, flags=END_HEADERS):
    return frame(HEADERS, flags | (END_STREAM if ends else 0), stream, block(pairs))


def setting(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream,
                 b"".join(struct.pack(">HI", name, value) for name, value in pairs))


def number(value):
    return struct.pack(">I", value)


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def ends(self):
        return self.kind in (DATA, HEADERS) and bool(self.flags & END_STREAM)

    @property
    def code(self):
        at = 4 if self.kind == GOAWAY else 0
        return struct.unpack(">I", self.payload[at:at + 4])[0]


class Frames:
    """What comes in on a socket, frame by frame; heads are unpacked as they pass."""

    def __init__(self, connected):
        self.socket = connected
        self.buffer = b""
        self.decoder = hpack.Decoder()
        self.seen = []
        self.heads = {}

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def exactly(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def next(self):
        first = self.exactly(9)
        size = int.from_bytes(first[:3], "big")
        got = Frame(first[3], first[4], int.from_bytes(first[5:], "big"), self.exactly(size))
        self.seen.append(got)
        if got.kind == HEADERS:
            payload = got.payload[5:] if got.flags & PRIORITISED else got.payload
            while not got.flags & END_HEADERS:
                more = self.next()
                got.flags, payload = got.flags | more.flags & END_HEADERS, payload + more.payload
            self.heads.setdefault(got.stream, []).append(
                [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
                 for name, value in self.decoder.decode(payload, raw=True)])
        return got

    def close(self):
        self.socket.close()


class RawClient(Frames):
    """A client that has said hello, unless told not to."""

    def __init__(self, address, hello=True, settings=(), receive_buffer=None):
        super().__init__(open_socket(address, receive_buffer=receive_buffer))
        if hello:
            self.send(PREFACE, setting(*settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def rest(self):
        """Everything to the end of the connection, however it ends."""
        try:
            while True:
                self.next()
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return self.seen

    def until(self, condition):
        while True:
            got = self.next()
            if got.kind == SETTINGS and not got.flags & ACK:
                self.send(setting(flags=ACK))
            if condition(got):
                return got

    def pinged(self, mark=b"are you?"):
        """Everything up to the answer of a PING: what the gateway had to say before."""
        self.send(frame(PING, 0, 0, mark))
        self.until(lambda got: got.kind == PING and got.flags & ACK and got.payload == mark)
        return self.seen

    def ended(self, stream):
        return self.until(lambda got: got.stream == stream and (got.ends or got.kind == RST))

    def status(self, stream):
        """Of a stream that is answered whole; None when it is reset instead."""
        last = self.ended(stream)
        return None if last.kind == RST else int(dict(self.heads[stream][0])[":status"])


class RawServer:
    """A replica of HTTP/2 whose script gets a connection once each request is in."""

    def __init__(self, script):
        self.script = script
        self.connections = []
        self.requests = []
        self.listening = Listening(self._take)
        self.address = self.listening.address

    def _take(self, accepted):
        made = Frames(accepted)
        self.connections.append(made)
        self._serve(made)

    def _serve(self, made):
        try:
            assert made.exactly(24) == PREFACE
            made.send(setting())
            while True:
                got = made.next()
                if got.kind == SETTINGS and not got.flags & ACK:
                    made.send(setting(flags=ACK))
                if got.kind == PING and not got.flags & ACK:
                    made.send(frame(PING, ACK, 0, got.payload))
                if got.ends:
                    self.requests.append((made, got.stream))
                    self.script(made, got.stream)
        except (OSError, EOFError):
            pass  # The gateway is done with it; the story sees that on the other side.

    def stop(self):
        self.listening.close()
        for made in self.connections:
            made.close()
