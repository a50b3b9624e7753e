"""A worker process of the real equipment stage. Arguments: BOOTSTRAP PREFIX DATADIR."""

import sys

from app.settings import Settings
from app.worker import run
from schemas.codec import Codec


def main() -> None:
    bootstrap, prefix, datadir = sys.argv[1:]
    run(["equipment"], Settings(bootstrap, prefix, datadir, "e0", recorded=True, session_timeout=6.0), None, Codec())


if __name__ == "__main__":
    main()
