# What every comparison stands on: a scratch folder with the compiled programs, the cores and who
# gets which, the replica, and the peers, started when first asked for. Leaving it ends them all.

import os
import pathlib
import shutil
import subprocess
import tempfile

from . import peers
from .process import Process, free_port

PROGRAMS = pathlib.Path("Benchmarks/programs")


class Rig:
    def __init__(self, penstock):
        self.penstock = penstock
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-bench-"))
        self.core_count = os.cpu_count()
        # Proxy, replica and generator on a core each, where there are three.
        alone = self.core_count >= 3
        self.proxy_cores = [0] if alone else None
        self.replica_cores = [1] if alone else None
        self.load_cores = [2] if alone else None
        self.running, self.voided = {}, []
        # Proxies that speak TLS and HTTP/2, by name and what their replica speaks.
        self.fronts = {}
        self.multiplexed_replica = None
        self.certificate, self.key = self.folder / "chain.pem", self.folder / "key.pem"
        self.pem = self.folder / "both.pem"
        self.counter = 0

    def __enter__(self):
        for source in PROGRAMS.glob("*.c"):
            subprocess.run(["cc", "-O2", "-pthread", "-o", str(self.program(source.stem)),
                            str(source), "-Wl,--as-needed", "-lm", "-lssl", "-lcrypto",
                            "-lnghttp2"], check=True)
        self.make_certificate()
        self.replica = self.start_replica(self.replica_cores)
        return self

    def __exit__(self, *_):
        for process in self.running.values():
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        return self.folder / name

    def new_folder(self, name):
        self.counter += 1
        folder = self.folder / f"{self.counter}-{name}"
        folder.mkdir()
        return folder

    def make_certificate(self):
        """Of P-256, as every proxy here shows it."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=bench.example", "-addext",
             "subjectAltName=DNS:bench.example", "-keyout", str(self.key), "-out",
             str(self.certificate)], check=True, stderr=subprocess.DEVNULL)
        self.pem.write_text(self.certificate.read_text() + self.key.read_text())

    def start(self, name, command, port, cores, folder=None, listens_only=False):
        """Starts any program that serves on the port; it ends with the rig at the latest."""
        folder = folder or self.new_folder(name)
        process = Process(name, [str(part) for part in command], folder, port, cores)
        self.running[f"{name} on {port}"] = process
        return process.await_answer(listens_only)

    def stop(self, process):
        process.stop()
        del self.running[f"{process.name} on {process.port}"]

    def start_replica(self, cores):
        port = free_port()
        return self.start("backend", [self.program("backend"), port], port, cores)

    def multiplexed(self):
        """The replica that speaks HTTP/2."""
        if self.multiplexed_replica is None:
            port = free_port()
            self.multiplexed_replica = self.start(
                "multiplexed", [self.program("multiplexed"), port], port, self.replica_cores,
                listens_only=True)
        return self.multiplexed_replica

    def peer(self, name):
        """The proxy of that name before the replica, with one worker; None if not installed."""
        if name not in self.running:
            if name == "envoy" and not peers.envoy_program():
                return None
            self.running[name] = peers.start(self, name)
        return self.running[name]

    def peers(self, names):
        found = {name: self.peer(name) for name in names}
        return {name: peer for name, peer in found.items() if peer}

    def void(self, scenario, name, reason):
        """A figure that must not count; the report names it."""
        self.voided.append(f"{scenario}, {name}: {reason}")
