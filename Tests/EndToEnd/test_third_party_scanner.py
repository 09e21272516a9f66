# testssl.sh, the scanner of Debian, against a TLS listener: nothing worse than a remark, but for
# what lies with a certificate made for a test or with the site behind it. Takes two minutes.

import json
import os
import subprocess

from harness.certificates import make_authority, make_certificate
from harness.configuration import service
from harness.origin import echo
from test_third_party_tools import program

# The certificate is a day old and valid for one, without revocation and DNS; which headers a site
# sends is the site's to say; the scanner's own OpenSSL has no GOST.
ELSEWHERE = {"cert_expirationStatus", "cert_notAfter", "cert_revocation", "DNS_CAArecord", "HSTS",
             "security_headers", "engine_problem"}
EXPECTED = {"SSLv2": "not offered", "SSLv3": "not offered", "TLS1": "not offered",
            "TLS1_1": "not offered", "TLS1_2": "offered", "TLS1_3": "offered with final",
            "ALPN_HTTP2": "h2", "heartbleed": "not vulnerable", "ROBOT": "not vulnerable",
            "secure_client_renego": "not vulnerable", "LUCKY13": "not vulnerable"}


def test_a_scanner_finds_nothing_bad(start_origin, start_gateway, folder):
    authority = make_authority(folder, "authority")
    made = make_certificate(folder, "test.local", authority)
    gateway = start_gateway(service(start_origin(echo)), gateway={"listeners": [{
        "address": "127.0.0.1:0", "tls": {"certificate": made.certificate, "key": made.key}}]})
    report = folder / "report.json"
    ended = subprocess.run(
        [program("testssl"), "--quiet", "--color", "0", "--warnings", "batch", "--ip",
         "127.0.0.1", "--jsonfile", str(report), f"test.local:{gateway.address.split(':')[1]}"],
        capture_output=True, text=True, timeout=900,
        env={**os.environ, "ADDITIONAL_CA_FILES": authority.certificate})
    found = json.loads(report.read_text())
    told = {finding["id"]: finding["finding"] for finding in found}
    assert "scanTime" in told, ended.stdout[-2000:]
    bad = [finding for finding in found if finding["severity"] not in ("OK", "INFO")
           and finding["id"] not in ELSEWHERE]
    assert not bad, bad
    for name, beginning in EXPECTED.items():
        assert told[name].startswith(beginning), (name, told[name])
    assert told["cert_chain_of_trust"].startswith("passed"), told["cert_chain_of_trust"]
