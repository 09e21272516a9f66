# The proxies before the one replica: how each is configured with one worker and keep-alive to it,
# and how it is started. Each runs in a directory of its own.

import os
import pathlib
import resource
import shutil

from .process import free_port

PENSTOCK = """
gateway: {{ listeners: [{{ address: "127.0.0.1:{port}" }}], workers: {workers}{log} }}
admin: {{ listen: "127.0.0.1:{admin}" }}
state: {folder}/state
services:
  - name: bench
    routes: [{{ path: / }}]
    health: {{ type: http, path: /, interval: 5s }}
    revisions: [{{ name: stable, weight: 100, endpoints: [{endpoints}] }}]
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; client_max_body_size 64m;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  proxy_buffers 8 256k; proxy_buffer_size 256k; proxy_busy_buffers_size 512k;
  upstream replica {{ server 127.0.0.1:{replica}; keepalive 256;
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
  server one 127.0.0.1:{replica} check inter 5s
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
    lb_policy: {policy}
    load_assignment:
      cluster_name: replica
      endpoints:
      - lb_endpoints: [{endpoints}]
"""

ENVOY_ENDPOINT = ("{{ endpoint: {{ address: {{ socket_address: "
                  "{{ address: 127.0.0.1, port_value: {} }} }} }} }}")
TEXTS = {"penstock": PENSTOCK, "nginx": NGINX, "haproxy": HAPROXY, "envoy": ENVOY}
BUFFERS = {"haproxy-64k": 65536, "haproxy-128k": 131072}


def connections_max():
    """What every proxy may be asked to hold: HAProxy wants two descriptors for each."""
    return min(30_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - 100)


def envoy_program():
    """Envoy's path, from the Python package or the system; None when there is none."""
    beside = pathlib.Path(".venv/bin/envoy")
    return str(beside.resolve()) if beside.exists() else shutil.which("envoy")


def command(kind, file, folder, penstock):
    path = os.environ["PATH"] + ":/usr/sbin"
    return {
        "nginx": [shutil.which("nginx", path=path), "-c", file, "-p", folder],
        "haproxy": [shutil.which("haproxy", path=path), "-db", "-f", file],
        "envoy": [envoy_program(), "-c", file, "--concurrency", "1", "-l", "error",
                  "--use-dynamic-base-id"],
        "penstock": [penstock, "serve", "--config", file],
    }[kind]


def start_configured(rig, name, text, cores, **values):
    """Starts a proxy with that text as its configuration."""
    folder, port = rig.new_folder(name), free_port()
    file = folder / "configuration.yaml"
    file.write_text(text.format(port=port, folder=folder, admin=free_port(),
                                connections=connections_max(), **values))
    kind = name.split("-")[0]
    return rig.start(name, command(kind, file, folder, rig.penstock), port, cores, folder)


def start(rig, name):
    """A proxy with one worker before the rig's replica."""
    replica = rig.replica.port
    if name == "forwarder":
        port = free_port()
        return rig.start(name, [rig.program("forwarder"), port, replica], port, rig.proxy_cores)
    log = ', access_log: {{ path: "{folder}/access.log" }}' if name == "penstock-log" else ""
    kind = name.split("-")[0]
    text = TEXTS[kind].replace("{log}", log)
    endpoints = {"penstock": f'"127.0.0.1:{replica}"', "envoy": ENVOY_ENDPOINT.format(replica)}
    return start_configured(
        rig, name, text, rig.proxy_cores, replica=replica, workers=1,
        endpoints=endpoints.get(kind, ""), policy="ROUND_ROBIN",
        option="option http-no-delay" if name == "haproxy-events" else "",
        buffer=BUFFERS.get(name, 16384))


def start_penstock(rig, workers, replicas, cores):
    """Penstock with several workers before several replicas."""
    endpoints = ", ".join(f'"127.0.0.1:{replica.port}"' for replica in replicas)
    return start_configured(
        rig, f"penstock-{workers}", PENSTOCK, cores, workers=workers, endpoints=endpoints, log="")
