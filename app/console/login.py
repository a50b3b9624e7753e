"""Who is let in. A console on this machine gives out one token; its holder gets a session. Nothing is answered without one."""

import hmac
import secrets
import time
from collections import OrderedDict

COOKIE = "lineledger_session"
SESSION_SECONDS = 8 * 3600
SESSIONS = 100
"""More at once make the oldest one end."""
TRIES, TRIES_SECONDS = 10, 60
"""Wrong tokens in that time; then nobody is let in for as long."""


class Doors:
    """Sessions of one process. They end with it."""

    def __init__(self, token: str = "") -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._failed: list[float] = []

    def enter(self, token: str) -> str | None:
        """A new session for who has the token; None: nobody is let in."""
        now = time.monotonic()
        self._failed = [at for at in self._failed if now - at < TRIES_SECONDS]
        if len(self._failed) >= TRIES:
            return None
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            self._failed.append(now)
            return None
        session = secrets.token_urlsafe(32)
        self._sessions[session] = now + SESSION_SECONDS
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def is_open(self, session: str) -> bool:
        ends = self._sessions.get(session)
        if ends is not None and ends <= time.monotonic():
            del self._sessions[session]
            return False
        return ends is not None

    def leave(self, session: str) -> None:
        self._sessions.pop(session, None)
