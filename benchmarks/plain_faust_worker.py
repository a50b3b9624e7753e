"""The same readings with Faust as its tutorial has it: an agent, a RocksDB table with changelog, a commit each second."""

import json
import os
import struct
import sys
import time

import faust

from schemas.codec import Codec

BOOTSTRAP, PREFIX, FRAMES, READINGS, DATADIR = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
_READING = struct.Struct("<4q")

os.makedirs(DATADIR, exist_ok=True)
app = faust.App(
    f"{PREFIX}plain",
    broker=f"aiokafka://{BOOTSTRAP}",
    store="rocksdb://",
    datadir=DATADIR,
    web_enabled=False,
    topic_partitions=4,
    topic_replication_factor=1,
    topic_disable_leader=True,
    broker_commit_interval=1.0,
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
)
inbox = app.topic(f"{PREFIX}equipment.inbox", value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
table = app.Table("plain", default=None, partitions=4, key_type=str, value_type=None, options={"driver": "rocksdict"})
codec = Codec()
seen = {"frames": 0, "began": 0.0}


@app.agent(inbox, concurrency=1)
async def count(stream):  # type: ignore[no-untyped-def]
    async for value in stream:
        name, frame = codec.fields(value)
        if name != "CounterFrame":
            continue
        if not seen["frames"]:
            seen["began"] = time.monotonic()
        key = f"{frame['plant']}|{frame['equipment']}|{frame['counter']}"
        state = table.get(key) or [-1, None, 0]
        for seq, _at, reading, _raw in _READING.iter_unpack(frame["readings"]):
            if seq > state[0]:
                state = [seq, reading, state[2] + (0 if state[1] is None else reading - state[1])]
        table[key] = state
        seen["frames"] += 1
        if seen["frames"] >= FRAMES:
            seconds = time.monotonic() - seen["began"]
            os.write(int(os.environ["RESULT_FD"]), json.dumps({"rate": READINGS / seconds, "seconds": seconds}).encode())
            os._exit(0)


if __name__ == "__main__":
    sys.argv = ["plain", "worker", "--without-web", "-l", "error"]
    app.main()
