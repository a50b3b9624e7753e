"""A worker process of the real equipment stage. Arguments: BOOTSTRAP PREFIX DATADIR."""

import sys

from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.settings import Settings
from app.worker import run


def main() -> None:
    bootstrap, prefix, datadir = sys.argv[1:]
    connection = Connection(Broker(bootstrap), prefix)
    run(["equipment"], Settings(connection, datadir, "e0", recorded=True, session_timeout=6.0), None)


if __name__ == "__main__":
    main()
