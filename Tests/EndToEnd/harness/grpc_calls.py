# A service of gRPC's own library, on a port of its own: the four kinds of call over raw bytes, its
# health service beside them, over cleartext or TLS. Imported by stories that need grpcio.

import concurrent.futures
import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICE = "test.Calls"


class Calls:
    """What the service does, and what it has seen."""

    def __init__(self):
        self.metadata = []
        self.deadlines = []
        self.cancelled = threading.Event()
        self.refusing = None
        self.served = 0

    def note(self, context):
        self.served += 1
        self.metadata.append(dict(context.invocation_metadata()))
        self.deadlines.append(context.time_remaining())
        if self.refusing:
            context.abort(*self.refusing)

    def wait_for_end(self, context):
        if not context.add_callback(self.cancelled.set):
            self.cancelled.set()  # It has ended already.
        self.cancelled.wait(30)

    def unary(self, request, context):
        self.note(context)
        if request == b"silent":
            self.wait_for_end(context)
        context.send_initial_metadata((("x-first", "one"), ("x-raw-bin", b"\x00\xff")))
        context.set_trailing_metadata((("x-last", "two"), ("x-end-bin", b"\x01\xfe")))
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it is 50% schön")
        if request == b"wait":
            self.wait_for_end(context)
        return request.upper()

    def collect(self, requests, context):
        self.note(context)
        return b"".join(requests)

    def expand(self, request, context):
        self.note(context)
        for word in request.split(b" "):
            yield word
        if request.endswith(b"fail"):
            context.abort(grpc.StatusCode.DATA_LOSS, "in the middle")

    def talk(self, requests, context):
        self.note(context)
        for request in requests:
            yield request.upper()


class CallServer:
    """One server with both services."""

    def __init__(self, credentials=None, options=()):
        self.calls = Calls()
        self.health = health.HealthServicer()
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(32), options=list(options))
        methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.calls.unary),
            "Collect": grpc.stream_unary_rpc_method_handler(self.calls.collect),
            "Expand": grpc.unary_stream_rpc_method_handler(self.calls.expand),
            "Talk": grpc.stream_stream_rpc_method_handler(self.calls.talk)}
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, methods),))
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.say(True)
        if credentials:
            port = self.server.add_secure_port("127.0.0.1:0", credentials)
        else:
            port = self.server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def say(self, serving):
        status = health_pb2.HealthCheckResponse
        self.health.set("", status.SERVING if serving else status.NOT_SERVING)

    def stop(self, grace=0):
        self.server.stop(grace).wait(20)


class CallClient:
    """A channel to the service, through whatever listens at an address."""

    def __init__(self, address, credentials=None, options=()):
        options = [("grpc.enable_retries", 0), *options]
        self.channel = (
            grpc.secure_channel(address, credentials, options) if credentials
            else grpc.insecure_channel(address, options))
        self.unary = self.channel.unary_unary(f"/{SERVICE}/Unary")
        self.collect = self.channel.stream_unary(f"/{SERVICE}/Collect")
        self.expand = self.channel.unary_stream(f"/{SERVICE}/Expand")
        self.talk = self.channel.stream_stream(f"/{SERVICE}/Talk")
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
