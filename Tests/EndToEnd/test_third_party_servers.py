# Servers that others wrote, behind the gateway: MLServer with a scikit-learn model, and uvicorn
# with a streaming application. Their ports lie on loopback addresses of their own, so none can
# collide.

import json
import os
import pathlib
import socket
import subprocess
import sys
import textwrap

import pytest

from harness.configuration import fast_health, service
from harness.load import Load
from harness.waiting import until
from harness.wire import fetch

FLOWERS = """
import joblib, sys
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris()
joblib.dump(LogisticRegression(max_iter=500).fit(data.data, data.target), sys.argv[1])
"""
TENSOR = {"name": "features", "shape": [3, 4], "datatype": "FP64",
          "data": [5.1, 3.5, 1.4, 0.2, 6.0, 2.9, 4.5, 1.5, 7.6, 3.0, 6.6, 2.1]}


def lonely_address():
    """A loopback address of this process alone, and free ports on it."""
    host = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}.1"
    sockets = [socket.create_server((host, 0)) for _ in range(3)]
    ports = [made.getsockname()[1] for made in sockets]
    for made in sockets:
        made.close()
    return host, ports


class Server:
    """A program that serves, ended with its whole session."""

    def __init__(self, *command, folder):
        self.log = open(folder / "server.log", "wb")
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self.log, stderr=self.log, start_new_session=True)
        self.folder = folder

    def until_ready(self, address, path):
        def is_ready():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            try:
                return fetch(address, "GET", path).status == 200
            except OSError:
                return False
        until(is_ready, f"{path} is answered", 90)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def mlserver(folder):
    model = folder / "ml" / "flowers"
    model.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", FLOWERS, str(model / "model.joblib")], check=True,
                   timeout=120)
    (model / "model-settings.json").write_text(json.dumps({
        "name": "flowers", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"}}))
    host, ports = lonely_address()
    (folder / "ml" / "settings.json").write_text(json.dumps({
        "host": host, "http_port": ports[0], "grpc_port": ports[1], "metrics_port": ports[2],
        "parallel_workers": 0, "debug": False}))
    server = Server(pathlib.Path(sys.executable).with_name("mlserver"), "start", ".",
                    folder=folder / "ml")
    server.address, server.grpc_address = f"{host}:{ports[0]}", f"{host}:{ports[1]}"
    try:
        server.until_ready(server.address, "/v2/health/ready")
        yield server
    finally:
        server.stop()


def test_mlserver_with_a_scikit_learn_model_answers_through_the_gateway(mlserver, start_gateway):
    gateway = start_gateway(service(
        mlserver.address, name="flowers", routes=[{"model": "flowers"}, {"path": "/"}],
        health=fast_health("open_inference"), retry={"idempotent": True}))
    answer = gateway.post("/v2/models/flowers/infer", {"inputs": [TENSOR]})
    assert answer.status == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == [0, 1, 2]
    assert gateway.get("/v2/models/flowers").json()["name"] == "flowers"
    assert gateway.get("/v2/health/ready").status == 200
    until(lambda: gateway.admin.endpoints("flowers")[mlserver.address]["health"] == "up",
          "its own readiness is believed")
    wrong = gateway.post("/v2/models/flowers/infer", {"inputs": [{**TENSOR, "shape": [1, 1]}]})
    assert 400 <= wrong.status < 600 and wrong.error is None
    body = json.dumps({"inputs": [TENSOR]})
    headers = {"Content-Type": "application/json"}
    Load(gateway.address, clients=4, requests_max=300,
         request=lambda number: ("POST", "/v2/models/flowers/infer", headers, body)
         ).run().assert_all_ok()


def test_tritonclient_infers_with_mlserver_through_the_gateway(
        mlserver, start_gateway):
    import numpy
    import tritonclient.http as triton
    gateway = start_gateway(service(mlserver.address, routes=[{"path": "/ml", "strip": True}]))
    with triton.InferenceServerClient(gateway.address + "/ml") as client:
        assert client.is_server_ready() and client.is_model_ready("flowers")
        values = numpy.array(TENSOR["data"]).reshape(3, 4)
        tensor = triton.InferInput("features", [3, 4], "FP64")
        # MLServer does not understand binary tensors, with or without a gateway.
        tensor.set_data_from_numpy(values, binary_data=False)
        result = client.infer("flowers", [tensor])
        assert result.as_numpy("predict").flatten().tolist() == [0, 1, 2]


def test_tritonclient_speaks_grpc_with_mlserver_through_the_gateway(mlserver, start_gateway):
    import numpy
    import tritonclient.grpc as triton
    gateway = start_gateway(service(revisions=[
        {"name": "stable", "protocol": "h2", "endpoints": [mlserver.grpc_address]}],
        routes=[{"path": "/inference.GRPCInferenceService"}]))
    with triton.InferenceServerClient(gateway.address) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("flowers")
        assert client.get_model_metadata("flowers", "v1").name == "flowers"
        values = numpy.array(TENSOR["data"]).reshape(3, 4)
        tensor = triton.InferInput("features", [3, 4], "FP64")
        tensor.set_data_from_numpy(values)
        for _ in range(30):
            # tritonclient sends raw contents, MLServer understands them.
            result = client.infer("flowers", [tensor], request_id="flowers-1")
            assert result.as_numpy("predict").flatten().tolist() == [0, 1, 2]
            assert result.get_response().id == "flowers-1"
        with pytest.raises(triton.InferenceServerException) as told:
            client.infer("no-such-model", [tensor])
        assert "NOT_FOUND" in str(told.value.status())
    measures = gateway.admin.metrics()
    assert measures.sum("penstock_grpc_requests_total", status="ok") >= 30
    assert measures.sum("penstock_grpc_requests_total", status="not_found") == 1


APPLICATION = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

async def events(request):
    async def produce():
        for number in range(100):
            yield f"data: {number}\\n\\n"
    return StreamingResponse(produce(), media_type="text/event-stream")

async def size(request):
    total = 0
    async for piece in request.stream():
        total += len(piece)
    return PlainTextResponse(str(total))

async def large(request):
    return PlainTextResponse("x" * 3_000_000)

app = Starlette(routes=[Route("/events", events), Route("/size", size, methods=["POST"]),
                        Route("/large", large)])
"""


@pytest.fixture
def uvicorn(folder):
    place = folder / "uv"
    place.mkdir()
    (place / "application.py").write_text(textwrap.dedent(APPLICATION))
    path = place / "u.sock"
    server = Server(sys.executable, "-m", "uvicorn", "application:app", "--uds", str(path),
                    "--timeout-keep-alive", "1", folder=place)
    server.address = f"unix:{path}"
    try:
        server.until_ready(server.address, "/large")
        yield server
    finally:
        server.stop()


def test_uvicorn_streams_and_receives_through_the_gateway(uvicorn, start_gateway):
    gateway = start_gateway(service(uvicorn.address))
    with gateway.connect() as client:
        expected = "".join(f"data: {n}\n\n" for n in range(100)).encode()
        assert client.get("/events").body == expected
        assert client.post("/size", b"u" * 2_000_000).text == "2000000"
        assert len(client.get("/large").body) == 3_000_000


def test_uvicorns_short_keep_alive_costs_no_request(uvicorn, start_gateway):
    gateway = start_gateway(service(uvicorn.address))
    with Load(gateway.address, clients=3, requests_max=400,
              request=lambda number: ("POST", "/size", (), b"12345")) as load:
        until(lambda: load.answered >= 400 or load.failures, "400 answers")
    load.assert_all_ok()
