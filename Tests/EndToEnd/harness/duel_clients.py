# The clients of a duel: they send what plans say, read at their own pace, change their minds, and
# tell the referee what they saw.

import random
import select
import threading
import time

import h2.events
import h2.exceptions
from h2.settings import SettingCodes

from harness.duel import Outcome, with_reset
from harness.http2 import CODES, Client
from harness.wire import open_socket

# Of all the requests of a connection; nothing in a duel waits for so long.
PATIENCE = 20
TICK = .005


def head_of(plan):
    fields = [("x-number", str(plan.number))]
    if plan.is_grpc:
        fields.append(("content-type", "application/grpc"))
    if plan.counts_up or plan.method in ("POST", "PUT") and not plan.up:
        fields.append(("content-length", str(plan.up)))
    return fields


class Call:
    """One request under way on a stream."""

    def __init__(self, plan):
        self.plan, self.outcome = plan, Outcome()
        self.rest = memoryview(plan.request())
        self.debt = 0
        self.leaves_at = None


class StreamRival:
    """Many streams on one connection."""

    def __init__(self, address, referee, numbers, seed):
        self.address, self.referee, self.numbers = address, referee, list(numbers)
        self.dice = random.Random(seed)
        self.calls = {}

    def run(self):
        dice = self.dice
        window = dice.choice([65_535, 65_535, 1_500, 6_000, 500_000])
        self.client = Client(self.address, settings={
            SettingCodes.INITIAL_WINDOW_SIZE: window,
            SettingCodes.HEADER_TABLE_SIZE: dice.choice([4_096, 0, 100])})
        self.client.acknowledges = False
        self.told = 2
        self.client.socket.settimeout(TICK)
        self.width = dice.choice([1, 4, 30])
        end = time.monotonic() + PATIENCE
        try:
            while self.numbers or self.calls:
                if time.monotonic() > end:
                    for call in self.calls.values():
                        self.referee.blame(call.plan.number, f"stalled: {vars(call.outcome)}")
                    return
                if not self.step():
                    return
        except (OSError, EOFError) as fault:
            for call in list(self.calls.values()):
                call.outcome.end = f"the connection: {fault!r}, {self.client.goaway}"
                self.settle(call)
        except h2.exceptions.ProtocolError as fault:
            self.referee.blame(-1, f"the gateway broke the protocol: {fault!r}")
        finally:
            self.client.close()

    def step(self):
        dice = self.dice
        while self.numbers and len(self.calls) < self.width:
            self.open(self.referee.plan(self.numbers.pop()))
        for stream, call in list(self.calls.items()):
            self.send(stream, call)
            if call.leaves_at and time.monotonic() > call.leaves_at:
                call.outcome.left = True
                self.client.cancel(stream, dice.choice([CODES.CANCEL, CODES.NO_ERROR]))
                self.settle(call, stream)
        if dice.random() < .01:
            self.client.h2.ping(b"12345678")
        if dice.random() < .01 and self.is_heard():
            self.told += 1
            self.client.h2.update_settings({
                SettingCodes.INITIAL_WINDOW_SIZE: dice.choice([1_500, 30_000, 65_535])})
        if self.calls and dice.random() < .002:
            for call in list(self.calls.values()):
                call.outcome.left = True
                self.settle(call)
            return False
        self.client.flush()
        try:
            self.client.pump()
        except TimeoutError:
            pass
        for stream, call in list(self.calls.items()):
            self.look(stream, call)
        return True

    def is_heard(self):
        """The library puts settings in force with the next acknowledgement, whatever it is for."""
        return self.told == sum(
            isinstance(event, h2.events.SettingsAcknowledged) for event in self.client.events)

    def open(self, plan):
        call = Call(plan)
        stream = self.client.begin(
            plan.method, f"/{plan.replica}/{plan.number}", head_of(plan), ends=not plan.up)
        call.has_ended = not plan.up
        # The library does not take interim heads that cross with its reset.
        if self.dice.random() < .12 and not plan.interim:
            call.outcome.left = True
            call.leaves_at = time.monotonic() + self.dice.random() * .1
        self.calls[stream] = call

    def send(self, stream, call):
        if call.has_ended or stream not in self.calls:
            return
        try:
            room = min(self.client.h2.local_flow_control_window(stream), 16_384,
                       self.dice.choice([1, 100, 16_384]))
            piece, call.rest = call.rest[:room], call.rest[room:]
            is_last = not call.rest
            if piece or is_last:
                self.client.h2.send_data(
                    stream, bytes(piece), end_stream=is_last and not call.plan.up_trailers)
            if is_last:
                call.has_ended = True
                if call.plan.up_trailers:
                    self.client.h2.send_headers(
                        stream, [("x-trail", str(call.plan.number))], end_stream=True)
        except h2.exceptions.ProtocolError:
            call.has_ended = True  # The gateway has reset it; `look` tells.

    def look(self, stream, call):
        answer = self.client.answers[stream]
        taken = sum(map(len, answer.pieces))
        owed = taken - call.debt
        if owed and self.dice.random() < .5:
            call.debt = taken
            if not answer.ended and answer.reset is None:
                self.client.h2.acknowledge_received_data(owed, stream)
            else:
                self.client.h2.increment_flow_control_window(owed)
        if answer.ended or answer.reset is not None:
            if answer.ended:
                call.outcome.is_whole = True
            else:
                call.outcome.end = f"reset {answer.reset}"
            if taken > call.debt:
                self.client.h2.increment_flow_control_window(taken - call.debt)
            self.settle(call, stream)

    def settle(self, call, stream=None):
        stream = stream or next(s for s, c in self.calls.items() if c is call)
        answer, outcome = self.client.answers[stream], call.outcome
        outcome.interim = [dict(head) for head in answer.interim]
        outcome.head = dict(answer.headers) if answer.headers else None
        outcome.body = answer.body
        outcome.trailers = dict(answer.trailers)
        self.referee.saw_answer(call.plan, outcome, self.referee.calm)
        if stream in self.calls and self.client.socket.fileno() >= 0:
            self.calls = {s: c for s, c in self.calls.items() if c is not call}


class PlainRival:
    """One request after the other, on one connection while it lasts."""

    def __init__(self, address, referee, numbers, seed):
        self.address, self.referee, self.numbers = address, referee, list(numbers)
        self.dice = random.Random(seed)
        self.socket = None

    def run(self):
        for number in self.numbers:
            plan, outcome = self.referee.plan(number), Outcome()
            try:
                self.ask(plan, outcome)
            except TimeoutError:
                self.referee.blame(number, f"stalled: {vars(outcome)}")
                self.drop()
            except OSError as fault:
                outcome.end = repr(fault)
                self.drop()
            # An early answer may be lost with a connection that is closed under a body.
            isolated = self.referee.calm and not plan.is_early
            self.referee.saw_answer(plan, outcome, isolated)
        self.drop()

    def drop(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self, plan, outcome):
        if self.socket is None:
            self.socket = open_socket(self.address)
            self.socket.settimeout(PATIENCE)
            self.buffer = b""
        fields = "".join(f"{name}: {value}\r\n" for name, value in head_of(plan))
        if plan.up and not plan.counts_up:
            fields += "transfer-encoding: chunked\r\n"
        self.socket.sendall(
            f"{plan.method} /{plan.replica}/{plan.number} HTTP/1.1\r\nhost: a\r\n{fields}\r\n"
            .encode())
        sender = threading.Thread(target=self.upload, args=(plan, self.socket), daemon=True)
        sender.start()
        if self.dice.random() < .1:
            outcome.left = True
            select.select([self.socket], [], [], self.dice.random() * .05)
            self.read_some()
            with_reset(self.socket) if self.dice.random() < .5 else self.socket.close()
            self.socket = None
            return
        self.read(plan, outcome)
        if self.socket is not None:
            sender.join(PATIENCE)

    def upload(self, plan, connected):
        try:
            for piece in plan.pieces(plan.request()):
                if not plan.counts_up:
                    piece = b"%x\r\n%s\r\n" % (len(piece), piece)
                connected.sendall(piece)
            if plan.up and not plan.counts_up:
                trail = f"x-trail: {plan.number}\r\n" if plan.up_trailers else ""
                connected.sendall(f"0\r\n{trail}\r\n".encode())
        except OSError:
            pass  # Answered, and closed, before all of it was read.

    # --- reading --------------------------------------------------------------------------------

    def more(self):
        data = self.socket.recv(self.dice.choice([100, 5_000, 65_536]))
        if not data:
            raise EOFError
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def lines(self):
        fields = {}
        while (line := self.line()):
            name, value = line.decode().split(":", 1)
            fields[name.lower()] = value.strip()
        return fields

    def read_some(self):
        """What is there, if anything: the rest is never read."""
        try:
            self.socket.setblocking(False)
            self.socket.recv(65_536)
        except OSError:
            pass  # Nothing was there.

    def read(self, plan, outcome):
        try:
            while True:
                status = int(self.line().split()[1])
                head = self.lines()
                if status >= 200:
                    break
                outcome.interim.append(head)
            outcome.head = head
            self.read_body(plan, status, head, outcome)
            outcome.is_whole = True
            if head.get("connection") == "close":
                self.drop()
        except EOFError:
            outcome.end = "end of the connection"
            self.drop()

    def read_body(self, plan, status, head, outcome):
        if plan.method == "HEAD" or status in (204, 304):
            return
        if "content-length" in head:
            while len(self.buffer) < int(head["content-length"]):
                try:
                    self.more()
                except (EOFError, OSError):
                    outcome.body, self.buffer = self.buffer, b""
                    raise
            outcome.body = self.buffer[:int(head["content-length"])]
            self.buffer = self.buffer[len(outcome.body):]
            return
        assert head.get("transfer-encoding") == "chunked", head
        while (size := int(self.line(), 16)):
            while len(self.buffer) < size + 2:
                self.more()
            outcome.body += self.buffer[:size]
            assert self.buffer[size:size + 2] == b"\r\n"
            self.buffer = self.buffer[size + 2:]
        outcome.trailers = self.lines()
