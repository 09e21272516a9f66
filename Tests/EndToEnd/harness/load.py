# Load in the background: a few clients on persistent connections, bounded in number, counting every
# answer and every failure. A story starts it, does something, and expects no failure.

import collections
import threading

from harness.messages import compose
from harness.waiting import Stopwatch, until
from harness.wire import Connection


class Load:
    def __init__(self, address, clients=4, request=None, requests_max=200_000,
                 per_connection=None, connect=Connection):
        self._address = address
        self._connect = connect
        self._request = request or (lambda number: ("GET", "/", (), None))
        self._left = requests_max
        self._per_connection = per_connection
        self._lock = threading.Lock()
        self._stopping = False
        self.statuses = collections.Counter()
        self.failures = []
        self.bodies = collections.Counter()
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def answered(self):
        return sum(self.statuses.values())

    def progress(self, requests=50):
        """Waits until so many more requests have been answered."""
        target = self.answered + requests
        until(lambda: self.answered >= target or self.failures, f"{requests} further answers")
        return self

    def run(self):
        """To the end of `requests_max`."""
        with self:
            self.finish()
        return self

    def finish(self):
        """Waits for the last of `requests_max`."""
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), f"{self._left} requests are left"

    def stop(self):
        self._stopping = True
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"

    def _next_number(self):
        with self._lock:
            if self._stopping or self._left == 0:
                return None
            self._left -= 1
            return self._left

    def _run(self):
        connection, used = None, 0
        while (number := self._next_number()) is not None:
            try:
                if connection is None:
                    connection, used = self._open(), 0
                watch = Stopwatch()
                answer, is_last = self._exchange(connection, self._request(number))
                used += 1
                with self._lock:
                    self.statuses[answer.status] += 1
                    self.slowest = max(self.slowest, watch.seconds)
                    self.bodies[answer.body[:200]] += 1
                if is_last or used == self._per_connection:
                    connection = self._closed(connection)
            except Exception as failure:  # Whatever it is, it is a failed request.
                with self._lock:
                    self.failures.append(f"{type(failure).__name__}: {failure}")
                connection = self._closed(connection)
        self._closed(connection)

    def _open(self):
        return self._connect(self._address)

    def _exchange(self, connection, request):
        """The answer, and whether it is the connection's last."""
        method, target, headers, body = request
        connection.send(compose(method, target, headers, body))
        answer = connection.response(method)
        return answer, answer.header("connection") == "close"

    @staticmethod
    def _closed(connection):
        if connection:
            connection.close()

    def assert_all_ok(self, status=200):
        assert not self.failures, f"{len(self.failures)} failed, first: {self.failures[:3]}"
        assert set(self.statuses) == {status}, dict(self.statuses)


class StreamLoad(Load):
    """The same over HTTP/2, a stream at a time; `connect` makes its clients."""

    def _exchange(self, connection, request):
        method, target, headers, body = request
        answer = connection.request(method, target, headers, body)
        if answer.reset is not None:
            raise EOFError(f"the stream was reset: {answer.reset}")
        return answer, connection.goaway is not None
