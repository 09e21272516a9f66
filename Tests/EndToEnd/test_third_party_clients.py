# Client libraries that others wrote, used as their users do: the Open Inference client of Triton
# and the client of OpenAI. The packages are imported inside the stories, so that collecting the
# core needs none of them, and one that is missing fails.

import json
import pathlib

import pytest

from harness.configuration import configuration, revision, service
from harness.messages import LAST_CHUNK, chunk
from harness.waiting import until

ARTIFACTS = pathlib.Path(__file__).parents[2] / "conf" / "artifacts"


@pytest.fixture
def iris(start_gateway):
    return start_gateway(whole=configuration(deployments=[{
        "name": "iris", "model": "iris", "version": "v1", "replicas": 2,
        "instance_type": "cpu.small",
        "command": ["penstock-model", "--artifact", "{artifact}", "--listen", "{address}"],
        "artifact": str(ARTIFACTS / "iris-v1.json"),
        "load_balancer": {"algorithm": "least_latency", "health_check_interval": "100ms"}}]))


def flowers(numpy, triton, rows):
    values = numpy.array(rows, dtype=numpy.float32)
    tensor = triton.InferInput("features", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values, binary_data=False)
    return [tensor], [triton.InferRequestedOutput("label", binary_data=False)]


@pytest.mark.parametrize("prefix", ["/iris", ""], ids=["by path", "by model"])
def test_tritonclient_infers_through_the_gateway(iris, prefix):
    import numpy
    import tritonclient.http as triton
    with triton.InferenceServerClient(iris.address + prefix, concurrency=4) as client:
        if prefix:
            assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("iris")
        assert client.get_model_metadata("iris")["inputs"][0]["datatype"] == "FP32"
        inputs, outputs = flowers(
            numpy, triton, [[5.1, 3.5, 1.4, 0.2], [6.1, 2.8, 4.7, 1.2], [7.6, 3.0, 6.6, 2.1]])
        result = client.infer("iris", inputs, outputs=outputs, request_id="flowers-1")
        assert [_text(v) for v in result.as_numpy("label")] == [
            "setosa", "versicolor", "virginica"]
        assert result.get_response()["id"] == "flowers-1"
        pending = [client.async_infer("iris", inputs, outputs=outputs) for _ in range(40)]
        assert all(len(p.get_result().as_numpy("label")) == 3 for p in pending)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def test_tritonclient_is_told_what_is_wrong(iris):
    import numpy
    import tritonclient.http as triton
    with triton.InferenceServerClient(iris.address + "/iris") as client:
        inputs, _ = flowers(numpy, triton, [[1.0, 2.0]])
        with pytest.raises(triton.InferenceServerException) as told:
            client.infer("iris", inputs)
        assert "features" in str(told.value) or "shape" in str(told.value)
        with pytest.raises(triton.InferenceServerException):
            client.infer("no-such-model", inputs)


def completion(name):
    """A stand-in for a language model: answers whole, or as a stream of events."""
    def script(exchange):
        asked = json.loads(exchange.read_body())
        words = [f"{name} ", "says ", asked["messages"][-1]["content"]]
        if not asked.get("stream"):
            exchange.answer_json({
                "id": "c-1", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": {
                    "role": "assistant", "content": "".join(words)}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}})
            return
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        for word in words:
            event = {"id": "c-1", "object": "chat.completion.chunk", "created": 1,
                     "model": asked["model"],
                     "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            exchange.send(chunk(b"data: " + json.dumps(event).encode() + b"\n\n"))
        exchange.send(chunk(b"data: [DONE]\n\n") + LAST_CHUNK)
    return script


@pytest.fixture
def language_models(start_origin, start_gateway):
    names = ("llama", "mistral")
    origins = {name: start_origin(completion(name), name=name) for name in names}
    gateway = start_gateway(*[
        service(name=name, routes=[{"model": name}], split={"override": True},
                revisions=[revision("stable", 100, origins[name])]) for name in names])
    gateway.origins = origins
    return gateway


def openai_client(gateway):
    import openai
    return openai.OpenAI(base_url=f"http://{gateway.address}/v1", api_key="not-checked",
                         max_retries=0, timeout=20)


def test_openai_chats_with_the_model_it_names(language_models):
    with openai_client(language_models) as client:
        for name in ("llama", "mistral", "llama"):
            answer = client.chat.completions.create(
                model=name, messages=[{"role": "user", "content": "hello"}])
            assert answer.choices[0].message.content == f"{name} says hello"
    request = language_models.origins["llama"].last
    assert request.headers.get("authorization") == "Bearer not-checked"
    assert request.target == "/v1/chat/completions"


def test_openai_streams(language_models):
    with openai_client(language_models) as client:
        for name in ("llama", "mistral"):
            words = [event.choices[0].delta.content for event in client.chat.completions.create(
                model=name, stream=True, messages=[{"role": "user", "content": "hello"}])]
            assert words == [f"{name} ", "says ", "hello"]


def test_openai_sends_a_long_prompt_before_the_model(language_models):
    # What stands before `model` in the body is searched only so far; the client puts it behind.
    with openai_client(language_models) as client:
        answer = client.chat.completions.create(
            model="mistral", messages=[{"role": "user", "content": "long " * 6000}])
        assert answer.choices[0].message.content.count("long") == 6000


def test_openai_is_told_that_a_model_does_not_exist(language_models):
    import openai
    with openai_client(language_models) as client:
        with pytest.raises(openai.NotFoundError) as told:
            client.chat.completions.create(
                model="no-such-model", messages=[{"role": "user", "content": "x"}])
        assert told.value.response.headers["x-penstock-error"] == "no_route"


def test_openai_leaves_a_stream_and_the_replica_learns_it(start_origin, start_gateway):
    left = []

    def endless(exchange):
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n")
        event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
        exchange.send(chunk(b"data: " + json.dumps(event).encode() + b"\n\n"))
        exchange.client_left()
        left.append(True)
    gateway = start_gateway(service(start_origin(endless), routes=[{"model": "m"}]))
    with openai_client(gateway) as client:
        stream = client.chat.completions.create(
            model="m", stream=True, messages=[{"role": "user", "content": "go"}])
        assert next(iter(stream)).choices[0].delta.content == "x"
        stream.close()
        until(lambda: left, "the replica's connection is closed")
