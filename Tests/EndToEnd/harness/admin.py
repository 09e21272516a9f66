# A client of the admin port, and its metrics as numbers.

import http.client
import json
import re
import ssl
from dataclasses import dataclass

from harness.waiting import PATIENCE

_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass
class AdminAnswer:
    status: int
    headers: dict
    text: str

    def json(self):
        return json.loads(self.text)


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = _SAMPLE.match(line).groups()
                self.samples.append((name, dict(_LABEL.findall(labels or "")), float(value)))

    def sum(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(value for sample, have, value in self.samples
                   if sample == name and labels.items() <= have.items())

    def has(self, name):
        return any(sample == name for sample, _, _ in self.samples)


class Admin:
    def __init__(self, address, token_file, certificate=None):
        self.address = address
        self._token_file = token_file
        self._certificate = certificate

    @property
    def token(self):
        return self._token_file.read_text().strip()

    def send(self, method, path, body=None, token=None, headers=None):
        """One request; the right token unless another or '' is given."""
        sent = dict(headers or {})
        bearer = self.token if token is None else token
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        client = self._connection()
        try:
            client.request(method, path, data, sent)
            answer = client.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return AdminAnswer(answer.status, names, answer.read().decode())
        finally:
            client.close()

    def _connection(self):
        if not self._certificate:
            return http.client.HTTPConnection(self.address, timeout=PATIENCE)
        context = ssl.create_default_context(cafile=self._certificate)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return http.client.HTTPSConnection(self.address, timeout=PATIENCE, context=context)

    def get(self, path):
        answer = self.send("GET", path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer.json()

    def metrics(self):
        answer = self.send("GET", "/metrics", token=None if self._certificate else "")
        assert answer.status == 200, answer.text
        return Metrics(answer.text)

    def shift(self, service, **percent):
        answer = self.send("PUT", f"/v1/services/{service}/traffic", percent)
        assert answer.status == 200, answer.text
        return answer.json()

    def drain(self, service, address, verb="drain"):
        path = f"/v1/services/{service}/endpoints/{address.replace('/', '%2F')}:{verb}"
        answer = self.send("POST", path)
        assert answer.status == 200, answer.text
        return answer.json()

    def undrain(self, service, address):
        return self.drain(service, address, "undrain")

    def service(self, name="echo"):
        return self.get(f"/v1/services/{name}")

    def endpoints(self, name="echo"):
        """Every endpoint of a service by its address."""
        return {endpoint["address"]: endpoint
                for revision in self.service(name)["revisions"]
                for endpoint in revision["endpoints"]}
