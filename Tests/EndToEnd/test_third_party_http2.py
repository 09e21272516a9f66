# Programs that others wrote, over HTTP/2: curl, nghttp and h2load, in the clear with prior
# knowledge and over TLS, with replicas of either version behind the gateway. One that is missing
# is an error.

import json
import re
import subprocess

import pytest

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.http2 import echo2
from harness.origin import echo, fixed
from test_third_party_tools import curl, program


@pytest.fixture(params=["http1", "h2"])
def replica(request, start_origin):
    """The protocol spoken to replicas, and one that speaks it."""
    if request.param == "h2":
        return request.param, start_origin(echo2, http2=True)
    return request.param, start_origin(echo)


@pytest.fixture(params=["cleartext", "tls"])
def served(request, replica, start_gateway, folder):
    """A gateway, its URL, and what each program needs to trust it."""
    protocol, origin = replica
    behind = service(revisions=[
        {"name": "stable", "protocol": protocol, "endpoints": [origin.address]}])
    if request.param == "cleartext":
        gateway = start_gateway(behind)
        gateway.url, gateway.curl = f"http://{gateway.address}", ["--http2-prior-knowledge"]
    else:
        authority = make_authority(folder, "authority")
        made = make_certificate(folder, "test.local", authority)
        gateway = start_gateway(behind, gateway={"listeners": [{
            "address": "127.0.0.1:0",
            "tls": {"certificate": made.certificate, "key": made.key}}]})
        gateway.url = f"https://test.local:{gateway.address.split(':')[1]}"
        gateway.curl = ["--http2", "--cacert", authority.certificate, "--resolve",
                        f"test.local:{gateway.address.split(':')[1]}:127.0.0.1"]
    gateway.origin, gateway.protocol = origin, protocol
    return gateway


def test_curl_speaks_http2(served):
    shown = curl("-i", *served.curl, f"{served.url}/a?b=c")
    assert shown.startswith(b"HTTP/2 200") and b"x-request-id:" in shown


def test_curl_uploads_over_http2(served):
    body = b"0123456789" * 200_000
    shown = curl(*served.curl, "--data-binary", "@-", "-H", "Expect:", f"{served.url}/up",
                 data=body)
    assert served.origin.requests[-1].body == body and len(shown) >= len(body)
    curl(*served.curl, "-T", "-", f"{served.url}/put", data=body)
    assert served.origin.requests[-1].body == body


def test_curl_expects_100_continue_over_http2(served):
    body = b"e" * 300_000
    curl(*served.curl, "-H", "Expect: 100-continue", "--expect100-timeout", "1", "--data-binary",
         "@-", f"{served.url}/expect", data=body)
    assert served.origin.requests[-1].body == body


def test_curl_asks_for_heads(served):
    assert curl("-I", *served.curl, f"{served.url}/x").startswith(b"HTTP/2 200")


def test_curl_shares_a_connection(served):
    urls = [f"{served.url}/{n}" for n in range(100)]
    targets = sum((["-o", "/dev/null", url] for url in urls), [])
    if served.url.startswith("http:"):
        # curl 7.88 fails to use such a connection again, whoever serves it: one fetch each.
        for url in urls[:5]:
            assert curl(*served.curl, url) is not None
        return
    shown = curl(*served.curl, "-w", "%{num_connects} ", *targets)
    assert shown.split() == [b"1"] + [b"0"] * 99
    shown = curl(*served.curl, "--parallel", "--parallel-max", "50", "-w", "%{num_connects} ",
                 *targets)
    connects = [int(word) for word in shown.split()]
    assert len(connects) == 100 and sum(connects) <= 50


def nghttp(served, *arguments, timeout=60):
    url = served.url.replace("test.local", "127.0.0.1")
    ended = subprocess.run(
        [program("nghttp"), *arguments, "-H", ":authority: test.local", url + "/"],
        capture_output=True, text=True, timeout=timeout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_nghttp_sees_frames_in_order(served):
    shown = nghttp(served, "-v", "-n", "--no-verify-peer")
    assert re.search(r"recv \(stream_id=\d+\) :status: 200", shown), shown
    assert "END_STREAM" in shown and "recv RST_STREAM" not in shown
    assert set(re.findall(r"error_code=(\w+)", shown)) <= {"NO_ERROR"}, shown


def test_nghttp_uploads_with_small_windows_and_trailers(served, tmp_path):
    file = tmp_path / "body"
    file.write_bytes(b"u" * 700_000)
    # Windows of 2^10-1 bytes, padding in every frame, a trailer behind the body.
    nghttp(served, "-n", "--no-verify-peer", "-w", "10", "-W", "10", "-b", "50", "-d", str(file),
           "--trailer", "x-sum: 7", "--no-content-length")
    seen = served.origin.requests[-1]
    assert len(seen.body) == 700_000
    assert seen.trailers.get("x-sum") == "7"


def test_nghttp_asks_many_times_with_continuation(served):
    nghttp(served, "-n", "--no-verify-peer", "-m", "50", "--continuation",
           "-H", "x-long: " + "l" * 20_000)
    assert len(served.origin.requests) == 50
    assert all(len(seen.headers.get("x-long")) == 20_000 for seen in served.origin.requests)


@pytest.mark.parametrize("options", [
    ["-c", "1", "-m", "100"], ["-c", "10", "-m", "20", "-w", "16", "-W", "18"],
    ["-c", "4", "-m", "10", "-d", __file__]], ids=["one", "several", "uploads"])
def test_h2load_counts_no_failure_over_http2(served, options):
    url = served.url.replace("test.local", "127.0.0.1")
    ended = subprocess.run(
        [program("h2load"), "-n", "3000", *options, url + "/"], capture_output=True, text=True,
        timeout=180)
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in ended.stdout, ended.stdout
    assert "3000 2xx" in ended.stdout
    if served.url.startswith("https"):
        assert "Application protocol: h2" in ended.stdout


def test_h2load_finds_an_early_refusal_no_fault(start_origin, start_gateway):
    gateway = start_gateway(service(start_origin(fixed(b"ok")), routes=[{"path": "/only"}]))
    ended = subprocess.run(
        [program("h2load"), "-n", "2000", "-c", "4", "-m", "20", "-d", __file__,
         f"http://{gateway.address}/none"], capture_output=True, text=True, timeout=120)
    assert "2000 4xx" in ended.stdout and "0 errored" in ended.stdout, ended.stdout
    assert json.loads(gateway.post("/none", b"x").body)["code"] == "no_route"
