# A running `penstock serve`: started with a configuration, ready when it says so, and stopped so
# that every story ends with exit code 0, nothing in flight and nothing left running.

import json
import os
import pathlib
import signal
import subprocess
import threading

from harness.admin import Admin
from harness.configuration import as_text
from harness.processes import (
    Heir, become_subreaper, children, is_alive, session_members, with_variable)
from harness.waiting import PATIENCE, until
from harness.wire import Connection, fetch

_LAST_LINE = "Ctrl-C drains and ends."


def binary(name):
    """A program under test; without it nothing is proven, so its absence is an error."""
    folder = os.environ.get("PENSTOCK_BIN_DIR")
    if not folder:
        raise RuntimeError("PENSTOCK_BIN_DIR names the folder of the binaries; `make` sets it")
    path = pathlib.Path(folder).resolve() / name
    if not path.exists():
        raise RuntimeError(f"{path} does not exist; build first")
    return str(path)


def run(*arguments, folder=None, environment=None):
    """A verb that ends by itself."""
    return subprocess.run(
        [binary("penstock"), *map(str, arguments)], cwd=folder, capture_output=True, text=True,
        timeout=PATIENCE * 3, env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL)


class Lines:
    """A pipe's lines, collected by a thread until it closes."""

    def __init__(self, pipe):
        self.all = []
        self._thread = threading.Thread(target=self._collect, args=(pipe,), daemon=True)
        self._thread.start()

    def _collect(self, pipe):
        for line in pipe:
            self.all.append(line.decode(errors="replace").rstrip("\n"))
        pipe.close()

    def complete(self):
        self._thread.join(PATIENCE)
        return list(self.all)


class Gateway:
    def __init__(self, folder, configuration, environment=None, preexec=None, arguments=(),
                 program=None):
        self.program = program
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "penstock.yaml"
        self.state = self.folder / "state"
        self.write(configuration)
        self._environment = {**os.environ, **(environment or {})}
        self._preexec = preexec
        self._arguments = list(arguments)
        self.process = None
        self.predecessors = []

    def write(self, configuration):
        self.configuration = configuration
        self.file.write_text(as_text(configuration))

    # --- starting ---------------------------------------------------------------------------

    def launch(self, environment=None):
        """Starts the process without waiting for it."""
        command = [str(self.program or binary("penstock")), "serve", "--config", str(self.file),
                   *self._arguments]
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
            env={**self._environment, **(environment or {})},
            preexec_fn=self._preexec)
        self.session, self.predecessors = self.process.pid, []
        self.output = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)
        return self

    def start(self, preexec=None):
        """Starts the process, under other circumstances if asked, and waits until it serves."""
        self._preexec = preexec or self._preexec
        self.launch()
        until(self._is_ready, "penstock serve says that it is ready", 60)
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"penstock ended with {self.process.returncode}:\n" + self.told())
        return _LAST_LINE in self.output.all

    def told(self):
        return "\n".join(self.log.all[-200:] + self.output.all[-50:])

    @property
    def pid(self):
        return self.process.pid

    @property
    def addresses(self):
        """The listeners as announced, in the order of the configuration."""
        lines = [line.split() for line in self.output.all]
        return [words[1].removeprefix("http://") for words in lines
                if len(words) == 2 and words[0] == "gateway"]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def admin(self):
        line = next(line for line in self.output.all if line.startswith("admin "))
        scheme, address = line.split()[1].split("://")
        certificate = (self.configuration["admin"]["tls"]["certificate"]
                       if scheme == "https" else None)
        # What listens everywhere is reached here.
        address = address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
        return Admin(address, self.state / "admin.token", certificate)

    # --- talking ----------------------------------------------------------------------------

    def connect(self, **options):
        return Connection(self.address, **options)

    def fetch(self, method="GET", target="/", headers=(), body=None, **options):
        return fetch(self.address, method, target, headers, body, **options)

    def get(self, target="/", headers=(), **options):
        return self.fetch("GET", target, headers, **options)

    def post(self, target="/", body=b"", headers=(), **options):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers = list(dict(headers).items()) + [("Content-Type", "application/json")]
        return self.fetch("POST", target, headers, body, **options)

    # --- signals and log --------------------------------------------------------------------

    def signal(self, number):
        self.process.send_signal(number)

    def crash(self):
        """kill -9: nothing is finished, and the replicas live on."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def is_ready_or_dead(self):
        return self.process.poll() is not None or _LAST_LINE in self.output.all

    def events(self, message=None):
        """Lines of the program's log as maps; those with this message, if one is given."""
        maps = [json.loads(line) for line in list(self.log.all) if line.startswith("{")]
        return [m for m in maps if message is None or m.get("message") == message]

    def reload(self, configuration=None):
        """True when the new configuration is in force, False when it was refused."""
        if configuration is not None:
            self.write(configuration)
        done, refused = "reloaded", "not reloaded; everything stays as it was"
        before = len(self.events(done)), len(self.events(refused))
        self.signal(signal.SIGHUP)
        until(lambda: (len(self.events(done)), len(self.events(refused))) != before,
              "the log tells the end of a reload")
        return len(self.events(done)) > before[0]

    def upgrade(self, order=None):
        """True when another process has taken over; it is this gateway's from then on."""
        become_subreaper()
        done, refused = "upgraded; draining", "not upgraded; everything stays as it was"
        before = len(self.events(done)), len(self.events(refused))
        order() if order else self.signal(signal.SIGUSR2)
        until(lambda: (len(self.events(done)), len(self.events(refused))) != before,
              "the log tells the end of an upgrade", 60)
        if len(self.events(done)) == before[0]:
            return False
        self.predecessors.append(self.process)
        self.process = Heir(int(self.events(done)[-1]["to"].split()[0]))
        return True

    def await_predecessors(self, seconds=None):
        """Those that were succeeded end by themselves, and well."""
        for process in self.predecessors:
            until(lambda: process.poll() is not None, f"{process.pid} ends", seconds or 40)
            assert process.returncode in (0, Heir.UNTOLD), (
                f"exit code {process.returncode}:\n{self.told()}")

    # --- ending -----------------------------------------------------------------------------

    def settle(self):
        """Nothing is under way any more, and the counts agree."""
        names = ("penstock_requests_open", "penstock_requests_in_flight",
                 "penstock_inflight_audit")

        def counts():
            metrics = self.admin.metrics()
            return {name: metrics.sum(name) for name in names}
        until(lambda: not any(counts().values()), lambda: f"no request under way: {counts()}")

    def wait(self, seconds=None):
        """The exit code."""
        until(lambda: self.process.poll() is not None, "penstock ends", seconds or 20)
        return self.process.returncode

    def stop(self):
        """SIGTERM, exit code 0, nothing left."""
        # Else the exit code would be told to them, and not here.
        self.await_predecessors()
        replicas = children(self.pid)
        self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"exit code {code}:\n" + "\n".join(self.log.complete()[-60:])
        assert not (self.state / "penstock.pid").exists(), "penstock.pid is left"
        until(lambda: not session_members(self.session), "no process of the gateway is left")
        until(lambda: not any(map(is_alive, replicas)), "no replica is left")

    def finish(self):
        """What ends a story: settled and stopped, unless the story has ended it itself."""
        if self.process is None:
            return
        try:
            if self.process.poll() is None:
                self.settle()
                self.stop()
        finally:
            self.kill()
            self.end_replicas()
            print(f"--- penstock {self.pid}, exit {self.process.returncode}")
            print(self.told())

    def kill(self):
        end(children(self.pid) + session_members(self.session))
        for process in [self.process, *self.predecessors]:
            process.wait()

    def end_replicas(self):
        """Ends what a killed gateway leaves running on purpose, for its successor."""
        def left():
            return with_variable("PENSTOCK_ADDRESS", f"unix:{self.state}/run/")
        end(left())
        until(lambda: not left(), "no replica of the story is left")


def end(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass  # It ended by itself meanwhile.
