# The proxies as they stand where clients speak TLS or HTTP/2: each listens in the clear and with
# TLS, one worker, before a replica that speaks HTTP/1.1 or HTTP/2. All have the same key, group and
# first cipher, tickets where a scenario resumes, and buffers as large as serves them best.

import os
import pathlib
import shutil

from . import peers
from .process import free_port

PENSTOCK = """
gateway:
  workers: 1
  listeners:
  - {{ address: "127.0.0.1:{port}" }}
  - {{ address: "127.0.0.1:{tls}", tls: {{ certificate: "{cert}", key: "{key}" }} }}
admin: {{ listen: "127.0.0.1:{admin}" }}
state: {folder}/state
services:
- name: bench
  routes: [{{ path: / }}]
  health: {{ type: http, path: /, interval: 5s }}
  revisions:
  - {{ name: stable, weight: 100, protocol: {protocol}, endpoints: ["127.0.0.1:{replica}"] }}
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; client_max_body_size 64m;
  http2_max_concurrent_streams 256;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  proxy_buffers 8 {buffer}; proxy_buffer_size {buffer}; proxy_busy_buffers_size {busy};
  upstream replica {{ server 127.0.0.1:{replica}; keepalive 512;
    keepalive_requests 1000000000; }}
  ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ecdh_curve X25519; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  ssl_session_tickets {tickets}; ssl_session_cache off; ssl_buffer_size 16k;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    listen 127.0.0.1:{clear} http2 backlog=4096;
    listen 127.0.0.1:{tls} ssl http2 backlog=4096;
    location / {{ proxy_pass http://replica; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}
    location /events {{ proxy_pass http://replica; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host; proxy_buffering off;
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}
    location /bench.Model {{ grpc_pass grpc://replica;
      grpc_set_header X-Request-ID $request_id;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
  tune.bufsize {buffer}
  tune.h2.max-concurrent-streams 256
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
{sessions}
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
  bind 127.0.0.1:{tls} backlog 4096 ssl crt {pem} alpn h2,http/1.1 curves X25519 {tickets}
  option forwardfor
  unique-id-format %{{+X}}o%ci%cp%Ts%rt
  unique-id-header X-Request-ID
  default_backend replica
backend replica
  server one 127.0.0.1:{replica} check inter 5s {protocol}
"""

ENVOY_FILTER = """
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.\
v3.HttpConnectionManager
          stat_prefix: bench
          http2_protocol_options: {{ max_concurrent_streams: 256 }}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: replica, timeout: 0s }} }}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"""

ENVOY = """
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:""" + ENVOY_FILTER + """
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {tls} }} }}
    filter_chains:""" + ENVOY_FILTER + """
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.\
DownstreamTlsContext
          disable_stateless_session_resumption: {stateless}
          disable_stateful_session_resumption: true
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_params: {{ ecdh_curves: [X25519] }}
            tls_certificates:
            - certificate_chain: {{ filename: {cert} }}
              private_key: {{ filename: {key} }}
  clusters:
  - name: replica
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ {protocol}: {{}} }}
    load_assignment:
      cluster_name: replica
      endpoints:
      - lb_endpoints: [{{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1,
          port_value: {replica} }} }} }} }}]
"""

NGHTTPX = """
frontend=127.0.0.1,{port};no-tls
frontend=127.0.0.1,{tls}
backend=127.0.0.1,{replica};/;proto={protocol}
private-key-file={key}
certificate-file={cert}
tls13-ciphers=TLS_AES_128_GCM_SHA256
ecdh-curves=X25519
workers=1
backlog=4096
frontend-http2-max-concurrent-streams=256
add-x-forwarded-for=yes
errorlog-file={folder}/error.log
no-ocsp=yes
"""

# Suffix of a proxy's name: what differs. Without tickets every handshake is a full one.
TICKETLESS = {
    "nginx": {"tickets": "off"},
    "haproxy": {"tickets": "no-tls-tickets", "sessions": "  tune.ssl.cachesize 0"},
    "envoy": {"stateless": "true"},
}
PLAIN = {
    "nginx": {"tickets": "on", "buffer": "16k", "busy": "32k"},
    "haproxy": {"tickets": "", "sessions": "", "option": "", "buffer": 16384},
    "envoy": {"stateless": "false"},
    "penstock": {}, "nghttpx": {},
}
OTHERS = {
    "nginx-256k": {"buffer": "256k", "busy": "512k"},
    "haproxy-64k": {"buffer": 65536}, "haproxy-128k": {"buffer": 131072},
    "haproxy-events": {"option": "option http-no-delay"},
}
TEXTS = {"penstock": PENSTOCK, "nginx": NGINX, "haproxy": HAPROXY, "envoy": ENVOY,
         "nghttpx": NGHTTPX}
# How each says what the replica speaks.
SPOKEN = {
    "http/1.1": {"penstock": "http1", "haproxy": "", "envoy": "http_protocol_options",
                 "nghttpx": "http/1.1", "nginx": ""},
    "h2": {"penstock": "h2", "haproxy": "proto h2", "envoy": "http2_protocol_options",
           "nghttpx": "h2", "nginx": ""},
}


def nghttpx_program():
    return shutil.which("nghttpx", path=os.environ["PATH"] + ":/usr/sbin")


def is_installed(kind):
    programs = {"envoy": peers.envoy_program, "nghttpx": nghttpx_program}
    return kind not in programs or programs[kind]() is not None


def command(kind, file, folder, penstock):
    if kind == "nghttpx":
        return [nghttpx_program(), f"--conf={file}"]
    return peers.command(kind, file, folder, penstock)


def start(rig, name, spoken):
    """The proxy of that name before the replica that speaks so; its further ports are `clear_port`
    (HTTP/2 in the clear) and `tls_port`. A name is a program and, after a hyphen, what differs."""
    kind = name.split("-")[0]
    folder, ports = rig.new_folder(name), {key: free_port() for key in
                                           ("port", "clear", "tls", "admin")}
    values = {**PLAIN[kind], **OTHERS.get(name, {})}
    if name.endswith("-full"):
        values.update(TICKETLESS.get(kind, {}))
    values["protocol"] = SPOKEN[spoken][kind]
    replica = rig.replica if spoken == "http/1.1" else rig.multiplexed()
    file = pathlib.Path(folder) / "configuration.yaml"
    file.write_text(TEXTS[kind].format(
        **ports, **values, folder=folder, replica=replica.port, cert=rig.certificate,
        key=rig.key, pem=rig.pem, connections=peers.connections_max()))
    # nginx speaks HTTP/2 to replicas for gRPC alone: asked otherwise, it would be said to fail.
    is_mute = kind == "nginx" and spoken == "h2"
    process = rig.start(name, command(kind, file, folder, rig.penstock), ports["port"],
                        rig.proxy_cores, folder, listens_only=is_mute)
    process.clear_port = ports["clear"] if kind == "nginx" else ports["port"]
    process.tls_port = ports["tls"]
    return process


def standing(rig, names, spoken):
    """Those of the names that are installed, started when first asked for."""
    found = {}
    for name in names:
        place = f"{name} to {spoken}"
        if not is_installed(name.split("-")[0]):
            continue
        if place not in rig.fronts:
            rig.fronts[place] = start(rig, name, spoken)
        found[name] = rig.fronts[place]
    return found


def leave(rig, spoken):
    """Ends those before replicas that speak so: asked for again, they are started anew."""
    for place in [place for place in rig.fronts if place.endswith(f" to {spoken}")]:
        rig.stop(rig.fronts.pop(place))
