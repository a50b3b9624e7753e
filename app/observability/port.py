"""The metrics and readiness port of a process. Read-only, a thread of its own: it answers while the loop is busy."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REQUEST_TIMEOUT_SECONDS = 5


def serve(
    host: str, port: int, registry: CollectorRegistry, unready: Callable[[], list[str]], hangs_for: Callable[[], float]
) -> ThreadingHTTPServer:
    """GET /metrics, /ready (200, or 503 with reasons), /live (200, or 503 while `hangs_for` says for how many seconds the loop
    has hung). Returns the running server; `port` 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_SECONDS

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
                case "/ready":
                    reasons = unready()
                    self._answer(503 if reasons else 200, json.dumps({"ready": not reasons, "reasons": reasons}).encode())
                case "/live":
                    silent = hangs_for()
                    self._answer(
                        503 if silent else 200, json.dumps({"live": not silent, "hangs_for_seconds": round(silent)}).encode()
                    )
                case _:
                    self._answer(404, b"{}")

        def _answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not worth a log line."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
