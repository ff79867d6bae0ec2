"""The partner of the example, to be stopped and started by hand: ``python partner.py [PORT]``."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Desk(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sale = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        booked = self.headers["Idempotency-Key"]
        print(f"{booked}: sale {sale['number']}, {sale['pieces']} pieces", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The line above says enough."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9100
    with ThreadingHTTPServer(("127.0.0.1", port), Desk) as server:
        print(f"the partner is there: http://127.0.0.1:{port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("the partner is away")
