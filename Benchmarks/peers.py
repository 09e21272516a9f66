# The proxies under comparison: how each is configured with one worker and keep-alive to the
# replica, and how it is started. Each runs in a directory of its own and is ended by its process
# id.

import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

PENSTOCK = """
gateway: {{ listeners: [{{ address: "127.0.0.1:{port}" }}], workers: 1{log} }}
admin: {{ listen: "127.0.0.1:{admin}" }}
state: {folder}/state
services:
  - name: bench
    routes: [{{ path: / }}]
    health: {{ type: http, path: /, interval: 5s }}
    revisions: [{{ name: stable, weight: 100, endpoints: ["127.0.0.1:{backend}"] }}]
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; client_max_body_size 64m;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  proxy_buffers 8 256k; proxy_buffer_size 256k; proxy_busy_buffers_size 512k;
  upstream replica {{ server 127.0.0.1:{backend}; keepalive 256;
    keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://replica; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off; }}
    location /events {{ proxy_pass http://replica; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host; proxy_buffering off;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
  tune.bufsize {buffer}
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  {option}
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  option forwardfor
  unique-id-format %{{+X}}o%ci%cp%Ts%rt
  unique-id-header X-Request-ID
  default_backend replica
backend replica
  server one 127.0.0.1:{backend} check inter 5s
"""

ENVOY = """
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.\
v3.HttpConnectionManager
          stat_prefix: bench
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: replica }} }}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: replica
    connect_timeout: 1s
    load_assignment:
      cluster_name: replica
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1,
            port_value: {backend} }} }} }}
"""


def connections_max():
    """What every proxy may be asked to hold: HAProxy wants two descriptors for each."""
    return min(30_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def envoy_program():
    """Envoy's path, from the Python package or the system; None when there is none."""
    beside = pathlib.Path(".venv/bin/envoy")
    return str(beside.resolve()) if beside.exists() else shutil.which("envoy")


class Peer:
    """One proxy, running."""

    def __init__(self, name, folder, backend, core, penstock):
        self.name = name
        self.port = free_port()
        folder = pathlib.Path(folder) / name
        folder.mkdir(parents=True)
        texts = {"penstock": PENSTOCK, "penstock-log": PENSTOCK, "nginx": NGINX,
                 "haproxy": HAPROXY, "haproxy-64k": HAPROXY, "haproxy-128k": HAPROXY,
                 "haproxy-events": HAPROXY, "envoy": ENVOY}
        file = folder / "configuration.yaml"
        log = f', access_log: {{ path: "{folder}/access.log" }}' if name == "penstock-log" else ""
        file.write_text(texts[name].format(
            port=self.port, backend=backend, connections=connections_max(),
            folder=folder, admin=free_port(), log=log,
            option="option http-no-delay" if name == "haproxy-events" else "",
            buffer={"haproxy-64k": 65536, "haproxy-128k": 131072}.get(name, 16384)))
        path = os.environ["PATH"] + ":/usr/sbin"
        commands = {
            "nginx": [shutil.which("nginx", path=path), "-c", str(file), "-p", str(folder)],
            "haproxy": [shutil.which("haproxy", path=path), "-db", "-f", str(file)],
            "envoy": [envoy_program(), "-c", str(file), "--concurrency", "1", "-l", "error",
                      "--use-dynamic-base-id"],
            "penstock": [penstock, "serve", "--config", str(file)],
        }
        command = commands[name.split("-")[0]]
        if core is not None:
            command = ["taskset", "-c", str(core)] + command
        with open(folder / "output", "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        self.await_answer(folder)

    def await_answer(self, folder):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    if client.recv(64).startswith(b"HTTP/1.1 200"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.process.kill()
        raise SystemExit(f"{self.name} does not serve:\n{(folder / 'output').read_text()}")

    def processes(self):
        """The process and its children (nginx's worker)."""
        found = [self.process.pid]
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                found.append(int(entry.parent.name))
        return found

    def cpu_seconds(self):
        """User and system time of all its threads so far, to the nanosecond where possible."""
        total = 0.0
        for process in self.processes():
            for schedule in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
                total += int(schedule.read_text().split()[0]) / 1e9
        return total

    def resident_kib(self):
        total = 0
        for process in self.processes():
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
