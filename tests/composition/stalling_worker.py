"""`lineledger` that stalls in the first commit that would let outbox entries go, and dies in it: nothing was committed."""

import os
import time

from app.cli.main import main
from app.engine.partition import OwnedPartition

STALLS_S, DIED = 4.0, 9

if __name__ == "__main__":
    checkpoint, transactional = OwnedPartition.checkpoint, OwnedPartition._transactional
    doomed: set[int] = set()

    async def noticing(part):  # type: ignore[no-untyped-def]
        if part.released:
            doomed.add(id(part))
        await checkpoint(part)

    def stalling(part, call, *args):  # type: ignore[no-untyped-def]
        if call.__name__ == "commit_transaction" and id(part) in doomed:
            print("STALLED", flush=True)
            time.sleep(STALLS_S)  # in the commit's thread: the loop goes on, and an entry let go too early would be called
            os._exit(DIED)
        transactional(part, call, *args)

    OwnedPartition.checkpoint = noticing  # type: ignore[method-assign]
    OwnedPartition._transactional = stalling  # type: ignore[method-assign]
    main()
