# Programs that others wrote as clients: curl with odd options, load generators that count failures,
# and promtool. One that is missing is an error.

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from harness.configuration import configuration, service
from harness.gateway import Gateway
from harness.origin import Origin, echo, fixed
from harness.waiting import Stopwatch


def program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    assert path, f"{name} is missing; `make deps` installs it"
    return path


def curl(*arguments, data=None):
    ended = subprocess.run([program("curl"), "-sS", "--max-time", "30", *arguments],
                           capture_output=True, timeout=60, input=data)
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    return ended.stdout


def varied(exchange):
    """Ranges, redirects, compressed and streamed answers for curl's options."""
    target, request = exchange.request.target.split("?")[0], exchange.request
    if target == "/range":
        start = int(re.match(r"bytes=(\d+)-", request.headers.get("range")).group(1))
        body = b"0123456789"[start:]
        exchange.answer(206, body, {"Content-Range": f"bytes {start}-9/10"})
    elif target == "/redirect":
        exchange.answer(302, b"", {"Location": "/echoed"})
    elif target == "/gzip":
        exchange.answer(200, gzip.compress(b"squeezed"), {"Content-Encoding": "gzip"})
    elif target == "/chunked":
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n"
                      b"5\r\nhello\r\n6\r\n world\r\n0\r\nX-End: yes\r\n\r\n")
    elif target == "/close":
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        exchange.connection.close()
    elif target == "/auth" and not request.headers.has("authorization"):
        exchange.answer(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
    else:
        if request.headers.has("expect"):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        echo(exchange)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curl")
    origin = Origin(varied)
    socket_path = tempfile.mkdtemp(prefix="penstock-") + "/curl.sock"  # Short, as it must be.
    gateway = Gateway(folder, configuration(service(origin), gateway={"listeners": [
        {"address": "127.0.0.1:0"}, {"address": f"unix:{socket_path}"},
        {"address": "[::1]:0", "proxy_protocol": True}],
        "trusted_proxies": ["::1/128", "127.0.0.0/8"]})).start()
    gateway.origin, gateway.socket_path = origin, socket_path
    gateway.url = f"http://{gateway.address}"
    yield gateway
    gateway.finish()
    origin.stop()
    os.rmdir(os.path.dirname(socket_path))


def test_curl_http_1_0(served):
    assert b'"target": "/a"' in curl("--http1.0", f"{served.url}/a")
    assert curl("--http1.0", f"{served.url}/chunked") == b"hello world"


def test_curl_trailers_and_raw_chunks(served):
    shown = curl("-i", "--raw", f"{served.url}/chunked")
    assert shown.endswith(b"0\r\nX-End: yes\r\n\r\n") and b"hello" in shown
    assert curl(f"{served.url}/chunked") == b"hello world"


def test_curl_close_delimited(served):
    assert curl(f"{served.url}/close") == b"until the end"


def test_curl_head_options_and_asterisk(served):
    assert b"200 OK" in curl("-I", f"{served.url}/x")
    assert b"OPTIONS" in curl("-X", "OPTIONS", f"{served.url}/x")
    shown = curl("-i", "-X", "OPTIONS", "--request-target", "*", served.url)
    assert shown.startswith(b"HTTP/1.1 ")


def test_curl_expects_100_continue(served):
    body, watch = b"e" * 2_000_000, Stopwatch()
    shown = curl("-v", "-H", "Expect: 100-continue", "--expect100-timeout", "20",
                 "--data-binary", "@-", f"{served.url}/expect", data=body)
    assert shown.count(b"e") > len(body)
    assert watch.seconds < 10, "curl was told to go on, and did not go on by itself"
    assert served.origin.last.body == body


def test_curl_path_as_is_cannot_leave_the_root(served):
    code = curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}",
                f"{served.url}/../../etc/passwd")
    assert code == b"400"
    assert b'"target": "/b"' in curl("--path-as-is", f"{served.url}/a/../b")


def test_curl_uploads_with_length_and_chunked(served, tmp_path):
    file = tmp_path / "upload"
    file.write_bytes(bytes(range(256)) * 4000)
    curl("-T", str(file), f"{served.url}/put")
    assert served.origin.last.method == "PUT" and served.origin.last.body == file.read_bytes()
    curl("-T", "-", f"{served.url}/put", data=file.read_bytes())
    assert served.origin.last.body == file.read_bytes()
    assert served.origin.last.headers.get("transfer-encoding") == "chunked"


def test_curl_resumes_a_range(served):
    assert curl("-C", "4", f"{served.url}/range") == b"456789"


def test_curl_compressed(served):
    assert curl("--compressed", f"{served.url}/gzip") == b"squeezed"


def test_curl_follows_redirects_on_one_connection(served):
    shown = curl("-L", "-w", "\n%{num_connects}", f"{served.url}/redirect")
    assert b'"target": "/echoed"' in shown and shown.endswith(b"\n1")


def test_curl_forms_cookies_and_queries(served):
    shown = curl("-F", "a=b", "-F", "file=@-;filename=x", f"{served.url}/form", data=b"content")
    assert b"multipart/form-data" in shown and b"content" in shown
    shown = curl("-b", "k=v; l=w", "-G", "--data-urlencode", "q=a b&c", f"{served.url}/q")
    assert b"k=v; l=w" in shown and re.search(rb"/q\?q=a(\+|%20)b%26c", shown)


def test_curl_authenticates(served):
    shown = curl("--anyauth", "-u", "me:secret", f"{served.url}/auth")
    assert b"Basic bWU6c2VjcmV0" in shown


def test_curl_unix_socket(served):
    shown = curl("--unix-socket", served.socket_path, "http://localhost/over/unix")
    assert b'"target": "/over/unix"' in shown


def test_curl_haproxy_protocol(served):
    url = f"http://{served.addresses[2]}/proxied"
    assert b'"::1"' in curl("--haproxy-protocol", url)
    version = re.search(r"curl (\d+)\.(\d+)", subprocess.run(
        [program("curl"), "--version"], capture_output=True, text=True).stdout)
    if (int(version[1]), int(version[2])) >= (8, 2):
        assert b"203.0.113.5" in curl("--haproxy-clientip", "203.0.113.5", url)


def test_curl_many_on_one_connection_and_in_parallel(served):
    urls = [f"{served.url}/{n}" for n in range(100)]
    shown = curl("-w", "%{num_connects}\n", "-o", "/dev/null",
                 *sum((["-o", "/dev/null"] for _ in urls[1:]), []), *urls)
    assert shown.split() == [b"1"] + [b"0"] * 99
    shown = curl("--parallel", "--parallel-max", "20", *urls)
    assert shown.count(b'"target"') == 100


def test_curl_offers_an_upgrade_to_http_2_and_is_served_http_1_1(served):
    shown = curl("--http2", "-i", f"{served.url}/h2")
    assert shown.startswith(b"HTTP/1.1 200") and b"101 Switching" not in shown
    assert not served.origin.last.headers.has("upgrade")


def test_curl_slowly(served):
    body = b"s" * 300_000
    curl("--limit-rate", "1M", "--data-binary", "@-", f"{served.url}/slow", data=body)
    assert served.origin.last.body == body


def test_curl_strange_requests(served):
    assert b'"method": "BREW"' in curl("-X", "BREW", f"{served.url}/x")
    assert b'"body": "in a get"' in curl("-X", "GET", "-d", "in a get", f"{served.url}/x")
    shown = curl("-H", "Host: Other.Example:99", "-H", "X-Empty;", "-H", "User-Agent:",
                 f"{served.url}/x")
    assert b"Other.Example:99" in shown and b"X-Empty" in shown and b"curl/" not in shown


@pytest.mark.parametrize("options", [
    ["-c", "8"], ["-c", "16", "-m", "10"], ["-c", "4", "-d", str(pathlib.Path(__file__))]],
    ids=["keep-alive", "pipelined", "uploads"])
def test_h2load_counts_no_failure(start_origin, start_gateway, options):
    gateway = start_gateway(service(start_origin(fixed(b"ok")), start_origin(fixed(b"ok"))))
    ended = subprocess.run(
        [program("h2load"), "--h1", "-n", "5000", *options, f"http://{gateway.address}/"],
        capture_output=True, text=True, timeout=120)
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in ended.stdout, ended.stdout
    assert "5000 2xx" in ended.stdout


@pytest.mark.parametrize("headers", [[], ["-H", "Connection: close"]], ids=["kept", "fresh"])
def test_wrk_counts_no_failure(start_origin, start_gateway, headers):
    gateway = start_gateway(service(start_origin(fixed(b"ok")), start_origin(fixed(b"ok"))))
    ended = subprocess.run(
        [program("wrk"), "-c", "16", "-t", "2", "-d", "3s", *headers,
         f"http://{gateway.address}/"], capture_output=True, text=True, timeout=60)
    assert "requests in" in ended.stdout, ended.stdout + ended.stderr
    assert "Socket errors" not in ended.stdout and "Non-2xx" not in ended.stdout, ended.stdout


def test_promtool_approves_the_metrics(served):
    curl(f"{served.url}/some", f"{served.url}/traffic")
    curl("--http2-prior-knowledge", "-H", "content-type: application/grpc", "-d", "",
         f"{served.url}/some/call")
    assert served.admin.metrics().sum("penstock_grpc_request_duration_seconds_count") == 1
    checked = subprocess.run([program("promtool"), "check", "metrics"], timeout=30,
                             input=served.admin.metrics().text, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
