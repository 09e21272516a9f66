# Somebody else, who asks all the time, and the replica that answers: processes of their own, so
# that what is measured is not how busy the story is. The one writes how long each answer took, a
# line each, and ends with the first fault; the other its address.

import pathlib
import subprocess
import sys
import threading
import time

from harness.origin import Origin, fixed
from harness.wire import Connection


class Bystander:
    """The process, as the story has it."""

    def __init__(self, address):
        self.times = []
        self.faults = []
        self.process = launch("ask", address)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self.times.append(float(line))
            except ValueError:
                self.faults.append(line.strip())

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.reader.join(20)

    def p99(self, since=0):
        """Milliseconds."""
        seen = sorted(self.times[since:])
        return seen[len(seen) * 99 // 100] * 1000 if seen else 0.0


class Replica:
    def __init__(self):
        self.process = launch("serve")
        self.address = self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def launch(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "harness.bystander", *arguments], stdout=subprocess.PIPE,
        stdin=subprocess.PIPE, text=True, cwd=pathlib.Path(__file__).parent.parent)


def serve():
    print(Origin(fixed(b"ok")).address, flush=True)
    sys.stdin.read()  # Until the story has ended, however it ends.


def ask(address):
    try:
        with Connection(address) as client:
            while True:
                began = time.perf_counter()
                assert client.request("GET", "/other").status == 200
                print(time.perf_counter() - began, flush=True)
    except Exception as fault:  # Whatever it is, somebody was not served.
        print("fault:", repr(fault), flush=True)


if __name__ == "__main__":
    ask(sys.argv[2]) if sys.argv[1] == "ask" else serve()
