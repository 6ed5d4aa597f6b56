"""SMTP on port 1025; on port 8025 what it took, by mailpit's `/api/v1/messages` and `/api/v1/message/ID/raw`."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

taken = []  # (recipients, content in bytes), newest last


class Catch:
    async def handle_DATA(self, server, session, envelope):
        taken.append((envelope.rcpt_tos, envelope.original_content))
        return "250 OK"


class Show(BaseHTTPRequestHandler):
    def do_GET(self):
        match self.path.split("?")[0].strip("/").split("/"):
            case ["api", "v1", "messages"]:
                found = [
                    {"ID": str(number), "To": [{"Address": address} for address in recipients]}
                    for number, (recipients, _) in enumerate(taken)
                ]
                self._answer(json.dumps({"messages": found[::-1]}).encode())
            case ["api", "v1", "message", number, "raw"]:
                self._answer(taken[int(number)][1])
            case _:
                self.send_error(404)

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Controller(Catch(), hostname="0.0.0.0", port=1025, enable_SMTPUTF8=True).start()
ThreadingHTTPServer(("0.0.0.0", 8025), Show).serve_forever()
