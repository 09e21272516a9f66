# The replicas of a duel: each reads a request, or part of it, and answers as its plan says, over
# HTTP/1.1 written by hand or HTTP/2 over the `h2` library.

import socket
import time

from h2.settings import SettingCodes

from harness.duel import with_reset
from harness.http2 import CODES, StreamOrigin
from harness.wire import Listening

PAUSE = .003


class Cut(Exception):
    """The plan has the answer break off here."""


def fields_of(plan):
    fields = [("x-number", str(plan.number))]
    if plan.is_grpc:
        fields.append(("content-type", "application/grpc"))
    return fields


def parts(plan, is_faulty):
    """The pieces of the answer's body, up to where it breaks off."""
    whole = plan.answer()
    for piece in plan.pieces(whole[:plan.fault_at] if is_faulty else whole):
        if plan.pauses:
            time.sleep(PAUSE)
        yield piece


class StreamReplica:
    def __init__(self, referee, dice):
        self.referee = referee
        settings = dice.choice([
            {}, {SettingCodes.INITIAL_WINDOW_SIZE: 2_000}, {SettingCodes.MAX_CONCURRENT_STREAMS: 4},
            {SettingCodes.HEADER_TABLE_SIZE: 0}])
        self.origin = StreamOrigin(self.answer, later_settings=settings)
        self.address = self.origin.address

    def stop(self):
        self.origin.stop()

    def answer(self, exchange):
        plan = self.referee.plan(int(exchange.headers.get("x-number")))
        attempt = self.referee.begin(plan.number)
        is_faulty = plan.fault is not None and attempt <= plan.faulty_tries
        if not plan.is_early:
            self.read(exchange, plan)
        if is_faulty and plan.fault_at < 0:
            return self.fail(exchange, plan)
        for _ in range(plan.interim):
            exchange.head(103, [("x-early", str(plan.number))])
        fields = fields_of(plan)
        if plan.framing == "length" and not is_faulty and plan.status != 204:
            fields.append(("content-length", str(plan.down)))
        is_bare = not plan.down and not plan.trailers
        ends_at_once = is_bare and not is_faulty and plan.number % 2
        # Before the client can: what it then sees complete was.
        if is_bare:
            self.referee.complete(plan.number)
        exchange.head(plan.status, fields, ends=ends_at_once)
        left = plan.down
        for piece in parts(plan, is_faulty):
            left -= len(piece)
            # Where its length was told it is whole with its last byte.
            if not left:
                self.referee.complete(plan.number)
            exchange.data(piece)
        if is_faulty:
            return self.fail(exchange, plan)
        if not ends_at_once:
            self.referee.complete(plan.number)
            exchange.end([("x-trail", str(plan.number))] if plan.trailers else None)

    def read(self, exchange, plan):
        data = exchange.read_body()
        is_whole = exchange.ended
        self.referee.saw_request(
            plan, data, is_whole,
            {name: value for name, value in exchange.trailers} if is_whole else None)
        if not is_whole:
            raise OSError("the gateway gave it up")

    def fail(self, exchange, plan):
        connection = exchange.connection
        if plan.fault == "stream":
            exchange.cancel([CODES.INTERNAL_ERROR, CODES.CANCEL, CODES.PROTOCOL_ERROR,
                             CODES.NO_ERROR][plan.number % 4])
        elif plan.fault == "connection":
            connection.close()
        elif plan.fault == "goaway":
            connection.go_away(last=exchange.stream - 2 * (plan.number % 2))
            exchange.cancel()
        else:
            connection.socket.sendall(b"nobody understands this")


class PlainReplica:
    def __init__(self, referee):
        self.referee = referee
        self.listening = Listening(self.serve)
        self.address = self.listening.address

    def stop(self):
        self.listening.close()

    def serve(self, accepted):
        reader = accepted.makefile("rb")
        try:
            while self.one(accepted, reader):
                pass
        except Cut as cut:
            if cut.args[0] == "reset":
                return with_reset(accepted)
        except (OSError, ValueError):
            pass  # The gateway left; its client says whether it might.
        finally:
            reader.close()
            accepted.close()

    def one(self, accepted, reader):
        first = reader.readline()
        if not first:
            return False
        fields = {}
        while (line := reader.readline().strip()):
            name, value = line.decode().split(":", 1)
            fields[name.lower()] = value.strip()
        plan = self.referee.plan(int(fields["x-number"]))
        attempt = self.referee.begin(plan.number)
        if not first.startswith(f"{plan.method} /h1/{plan.number} ".encode()):
            self.referee.blame(plan.number, f"a request that nobody sent: {first}")
        if not plan.is_early:
            self.read(plan, fields, reader)
        self.answer(accepted, plan, plan.fault is not None and attempt <= plan.faulty_tries)
        if plan.is_early:
            self.read(plan, fields, reader)
        return plan.framing != "close" or not plan.down

    def read(self, plan, fields, reader):
        data, trailers, is_whole = b"", {}, True
        if "content-length" in fields:
            count = int(fields["content-length"])
            data = reader.read(count)
            is_whole = len(data) == count
        elif "transfer-encoding" in fields:
            while (size := int(reader.readline(), 16)):
                data += reader.read(size)
                reader.readline()
            while (line := reader.readline().strip()):
                name, value = line.decode().split(":", 1)
                trailers[name] = value.strip()
        self.referee.saw_request(
            plan, data, is_whole, trailers if "transfer-encoding" in fields else None)
        if not is_whole:
            raise OSError("the gateway gave it up")

    def answer(self, accepted, plan, is_faulty):
        if is_faulty and plan.fault_at < 0:
            raise Cut(plan.fault)
        for _ in range(plan.interim):
            accepted.sendall(f"HTTP/1.1 103 Early\r\nx-early: {plan.number}\r\n\r\n".encode())
        has_body = plan.method != "HEAD" and plan.status not in (204, 304)
        fields = fields_of(plan)
        framing = plan.framing if has_body else "none"
        if framing == "close" and not plan.down:
            framing = "length"
        if framing == "length":
            fields.append(("content-length", str(plan.down)))
        elif framing == "chunked":
            fields.append(("transfer-encoding", "chunked"))
        elif framing == "close":
            fields.append(("connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        tail = b""
        if framing == "chunked":
            trail = f"x-trail: {plan.number}\r\n" if plan.trailers else ""
            tail = f"0\r\n{trail}\r\n".encode()
        if not is_faulty and not plan.down:
            self.referee.complete(plan.number)
        accepted.sendall(f"HTTP/1.1 {plan.status} X\r\n{lines}\r\n".encode())
        left = plan.down
        for piece in parts(plan, is_faulty):
            left -= len(piece)
            if not left and not is_faulty:
                self.referee.complete(plan.number)
            if framing == "chunked":
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            accepted.sendall(piece)
        if is_faulty:
            raise Cut(plan.fault)
        accepted.sendall(tail)
