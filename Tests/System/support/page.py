"""A server's settings for the chat page and the JavaScript SDK of this checkout."""

from support.server import ROOT

PAGE = {"CLIENT_DIR": str(ROOT / "client-example"), "SERVE_CLIENT": "true"}
