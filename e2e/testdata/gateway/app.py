"""An application as it stands on App Service: it knows nothing of signing in,
and reads the headers that say who is there. Run as: app.py PORT"""

import base64
import http.server
import json
import sys
import time

PORT = int(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/begin":
            self.send_response(302)
            self.send_header("Set-Cookie", "seen=python; Path=/")
            self.send_header("Location", "/whoami?from=begin")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for n in range(3):
                self.wfile.write(b"data: %d\n\n" % n)
                time.sleep(0.1)
            self.close_connection = True
        else:
            self.tell()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.tell(len(self.rfile.read(length)))

    def tell(self, received=0):
        """Answers with everything that the headers say about the caller."""
        user = None
        header = self.headers.get("X-MS-CLIENT-PRINCIPAL")
        if header:
            user = json.loads(base64.b64decode(header, validate=True))
        body = json.dumps({
            "path": self.path,
            "host": self.headers.get("Host"),
            "cookie": self.headers.get("Cookie"),
            "received": received,
            "principal": user,
            "headers": {
                name.upper(): value
                for name, value in self.headers.items()
                if name.upper().replace("_", "-").startswith("X-")
            },
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
