"""A time-stamp authority over HTTP that is not ours: openssl answers the requests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from services.archive.local_authority import TestAuthority

_CONFIGURATION = """\
[tsa]
default_tsa = stamps
[stamps]
serial = {folder}/serial
signer_cert = {authority.timestamp_certificate}
signer_key = {authority.timestamp_key}
certs = {authority.root}
signer_digest = sha256
default_policy = 2.999.2
digests = sha256
accuracy = secs:1
"""


@contextmanager
def openssl_authority(authority: TestAuthority) -> Iterator[str]:
    """Its URL, on the loopback interface."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "serial").write_text("01")
        (folder / "tsa.conf").write_text(_CONFIGURATION.format(folder=folder, authority=authority))
        server = HTTPServer(("127.0.0.1", 0), _handler(folder))
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["content-length"])))
            command = ["openssl", "ts", "-reply", "-config", f"{folder}/tsa.conf", "-queryfile", f"{folder}/query"]
            reply = subprocess.run(command, capture_output=True, check=True).stdout
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
