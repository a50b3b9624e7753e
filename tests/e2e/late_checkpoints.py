"""`lineledger` whose stages checkpoint every SECONDS instead of as they do over recorded input. SECONDS: environment."""

import os

from app import settings
from app.cli.main import main

SECONDS = "LINELEDGER_TEST_CHECKPOINT_SECONDS"

if __name__ == "__main__":
    settings.RECORDED_INTERVAL = float(os.environ[SECONDS])
    settings.RECORDED_INTERVALS.update(delivery=settings.RECORDED_INTERVAL / 8)
    main()
