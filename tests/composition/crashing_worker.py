"""`lineledger` of whose services one crashes when it has run for a moment."""

import asyncio
import os

from mode import Service

from app import delivery
from app.cli.main import main

if __name__ == "__main__":

    class Crashing(Service):
        @Service.task
        async def _fails(self) -> None:
            await asyncio.sleep(1)
            raise RuntimeError(f"a service of this process crashed: it had {os.environ['LIVE_ERP_TOKEN']}")

    composed = delivery.with_executor
    delivery.with_executor = lambda app, stage, plant: [*composed(app, stage, plant), Crashing()]
    main()
