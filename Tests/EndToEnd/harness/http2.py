# HTTP/2 on both sides of the gateway, over the `h2` library: a client that sends requests and
# reads answers stream by stream, and an origin that follows a script like the HTTP/1.1 one. Both
# keep every event, so that a story can say what happened on the wire.

import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from harness.messages import Fields
from harness.origin import Origin
from harness.wire import open_socket

CODES = h2.errors.ErrorCodes


class Answer:
    """What came on one stream."""

    def __init__(self, stream):
        self.stream = stream
        self.headers = Fields()
        self.interim = []
        self.trailers = Fields()
        self.pieces = []
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return int(self.headers.get(":status"))

    @property
    def body(self):
        return b"".join(self.pieces)

    @property
    def error(self):
        return self.headers.get("x-penstock-error")

    def header(self, name, default=None):
        return self.headers.get(name, default)


class Client:
    """One connection of an HTTP/2 client."""

    def __init__(self, address, tls=None, server_name=None, settings=None, window=None):
        self.socket = open_socket(address)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        if settings:
            # Said, and in force with the acknowledgement; set before, they would never be said.
            self.h2.update_settings(settings)
        if window:
            self.h2.increment_flow_control_window(window)
        self.answers = {}
        self.events = []
        self.goaway = None
        self._unread = b""
        self.acknowledges = True
        self.is_closed = False
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def begin(self, method="GET", path="/", headers=(), authority="test.local", scheme="http",
              ends=True, more=()):
        """Sends a head; the stream's number."""
        stream = self.h2.get_next_available_stream_id()
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        self.answers[stream] = Answer(stream)
        self.h2.send_headers(
            stream, [(":method", method), *more, (":scheme", scheme), (":authority", authority),
                     (":path", path), *pairs], end_stream=ends)
        self.flush()
        return stream

    def data(self, stream, data=b"", ends=False):
        """Sends a body as the windows allow."""
        view = memoryview(data)
        while len(view) or ends:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0 and len(view):
                self.pump()
                continue
            piece, view = view[:room], view[room:]
            self.h2.send_data(stream, bytes(piece), end_stream=ends and not len(view))
            self.flush()
            if not len(view):
                return

    def trailers(self, stream, pairs):
        self.h2.send_headers(stream, list(pairs), end_stream=True)
        self.flush()

    def cancel(self, stream, code=CODES.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    def request(self, method="GET", path="/", headers=(), body=None, **more):
        """One request, and its whole answer."""
        stream = self.begin(method, path, headers, ends=body is None, **more)
        if body is not None:
            self.data(stream, body, ends=True)
        return self.answer(stream)

    def answer(self, stream):
        """Waits until the answer is whole, or the stream was reset."""
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None:
            self.pump()
        return answer

    def head(self, stream):
        answer = self.answers[stream]
        while not answer.headers and answer.reset is None:
            self.pump()
        return answer

    def until(self, condition):
        while not condition():
            self.pump()

    def pump(self):
        """Takes what comes next."""
        data = self.socket.recv(65536)
        if not data:
            self.is_closed = True
            raise EOFError("the gateway closed the connection")
        self._unread += data
        # Frame by frame: what follows a GOAWAY would be refused together with it.
        while (end := self._frame_end()) <= len(self._unread):
            frame, self._unread = self._unread[:end], self._unread[end:]
            for event in self.h2.receive_data(frame):
                self.take(event)
        self.flush()

    def _frame_end(self):
        return 9 + int.from_bytes(self._unread[:3], "big") if len(self._unread) >= 9 else 9

    def take(self, event):
        self.events.append(event)
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event
            # The library takes GOAWAY for the end; streams under way go on (RFC 9113 6.8).
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif answer is None:
            return
        elif isinstance(event, h2.events.ResponseReceived):
            answer.headers = Fields(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(Fields(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            if event.data:
                answer.pieces.append(event.data)
            if self.acknowledges and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = Fields(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = event.error_code

    def ending(self):
        """Reads to the end of the connection; the code of its GOAWAY, if one came."""
        try:
            while True:
                self.pump()
        except (EOFError, ConnectionResetError, ssl.SSLError):
            return self.goaway.error_code if self.goaway else None


class StreamExchange:
    """One request at an HTTP/2 origin, and the means to answer it."""

    def __init__(self, origin, connection, stream, headers):
        self.origin = origin
        self.connection = connection
        self.stream = stream
        self.headers = Fields(headers)
        self.trailers = Fields()
        self.pieces = []
        self.changed = threading.Condition(connection.lock)
        self.ended = False
        self.reset = None

    @property
    def method(self):
        return self.headers.get(":method")

    @property
    def path(self):
        return self.headers.get(":path")

    @property
    def body(self):
        return b"".join(self.pieces)

    def read_body(self):
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended or self.reset is not None, 60)
            return self.body

    def wait_for_reset(self):
        with self.changed:
            assert self.changed.wait_for(lambda: self.reset is not None, 60)
            return self.reset

    def head(self, status=200, headers=(), ends=False):
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        self.connection.send_headers(self.stream, [(":status", str(status)), *pairs], ends)

    def data(self, data, ends=False):
        self.connection.send_data(self.stream, data, ends)

    def end(self, trailers=None):
        if trailers is None:
            self.data(b"", ends=True)
        else:
            self.connection.send_headers(self.stream, list(trailers), True)

    def answer(self, status=200, body=b"", headers=(), trailers=None):
        self.read_body()
        self.head(status, headers, ends=not body and trailers is None)
        if body:
            self.data(body, ends=trailers is None)
        if trailers is not None:
            self.end(trailers)

    def cancel(self, code=CODES.INTERNAL_ERROR):
        self.connection.reset_stream(self.stream, code)


def echo2(exchange):
    """The body, sent back."""
    exchange.answer(200, exchange.read_body(), {"content-type": "application/octet-stream"})


class StreamConnection:
    """One accepted HTTP/2 connection: reads on its own thread, answers from the scripts'."""

    def __init__(self, origin, accepted):
        self.origin = origin
        self.socket = accepted
        self.lock = threading.RLock()
        self.room = threading.Condition(self.lock)
        self.exchanges = {}
        self.is_open = True
        self.requests = 0
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        if origin.settings:
            self.h2.local_settings = h2.settings.Settings(
                client=False, initial_values=origin.settings)

    def send_headers(self, stream, pairs, ends):
        with self.lock:
            self.h2.send_headers(stream, pairs, end_stream=ends)
            self.flush()

    def send_data(self, stream, data, ends):
        view = memoryview(data)
        with self.lock:
            while True:
                def window():
                    return min(self.h2.local_flow_control_window(stream),
                               self.h2.max_outbound_frame_size)
                if len(view) and window() == 0:
                    assert self.room.wait_for(lambda: window() > 0 or not self.is_open, 60)
                size = min(len(view), window())
                piece, view = view[:size], view[size:]
                self.h2.send_data(stream, bytes(piece), end_stream=ends and not len(view))
                self.flush()
                if not len(view):
                    return

    def reopen(self):
        """Of windows that have become smaller than what has been read, the library thinks no
        more before data come, which then never do."""
        for stream, exchange in self.exchanges.items():
            if exchange.ended or exchange.reset is not None or not self.origin.acknowledges:
                continue
            try:
                missing = -self.h2.remote_flow_control_window(stream)
                if missing >= 0:
                    more = self.h2.local_settings.initial_window_size
                    self.h2.increment_flow_control_window(missing + more, stream)
            except h2.exceptions.ProtocolError:
                pass  # Reset from this side.

    def reset_stream(self, stream, code):
        with self.lock:
            self.h2.reset_stream(stream, code)
            self.flush()

    def go_away(self, code=CODES.NO_ERROR, last=None):
        with self.lock:
            self.h2.close_connection(code, last_stream_id=last)
            self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def close(self):
        self.is_open = False
        try:
            self.socket.shutdown(2)
        except OSError:
            pass  # The peer was first.
        self.socket.close()

    def reset(self):
        self.close()

    def serve(self):
        with self.lock:
            self.h2.initiate_connection()
            # In force with their acknowledgement: what was sent before may be more than they allow.
            if self.origin.later_settings:
                self.h2.update_settings(self.origin.later_settings)
            self.flush()
        while self.is_open:
            data = self.socket.recv(65536)
            if not data:
                return
            with self.lock:
                for event in self.h2.receive_data(data):
                    self.take(event)
                self.flush()
                self.room.notify_all()

    def take(self, event):
        exchange = self.exchanges.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RequestReceived):
            exchange = StreamExchange(self.origin, self, event.stream_id, event.headers)
            self.exchanges[event.stream_id] = exchange
            self.requests += 1
            self.origin.requests.append(exchange)
            threading.Thread(target=self.origin.run, args=(exchange,), daemon=True).start()
        elif isinstance(event, h2.events.SettingsAcknowledged):
            self.reopen()
        elif exchange is None:
            return
        elif isinstance(event, h2.events.DataReceived):
            exchange.pieces.append(event.data)
            if event.flow_controlled_length and self.origin.acknowledges:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            exchange.trailers = Fields(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            exchange.ended = True
            exchange.changed.notify_all()
        elif isinstance(event, h2.events.StreamReset):
            exchange.reset = event.error_code
            exchange.changed.notify_all()
        if exchange is not None:
            exchange.changed.notify_all()


class StreamOrigin(Origin):
    """An HTTP/2 server with prior knowledge, or over TLS, that follows a script."""

    def __init__(self, script=echo2, settings=None, later_settings=None, tls=None,
                 acknowledges=True, **more):
        self.settings = settings
        self.later_settings = later_settings
        self.acknowledges = acknowledges
        super().__init__(script, tls=tls, **more)

    def run(self, exchange):
        try:
            self.script(exchange)
        except (OSError, h2.exceptions.ProtocolError):
            pass  # The gateway left in the middle; the story sees that on its own side.
        except AssertionError as fault:
            self.faults.append(fault)

    def _serve(self, connection):
        try:
            if self.tls:
                connection.socket = self.tls.wrap_socket(connection.socket, server_side=True)
            made = StreamConnection(self, connection.socket)
            self.connections[self.connections.index(connection)] = made
            made.serve()
        except (OSError, ValueError, h2.exceptions.ProtocolError):
            pass  # As above.
        finally:
            connection.close()
