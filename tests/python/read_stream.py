"""Reads one answer as server-sent events with the parser of httpx-sse and prints its text."""

import os
import sys

import httpx
from httpx_sse import connect_sse

url = os.environ["SERVICE_URL"] + "/api/chat/message/stream"
headers = {
    "Authorization": "Bearer " + os.environ["SERVICE_KEY"],
    # Not the kept answer: the pieces as they come.
    "Cache-Control": "no-store",
}
body = {"message": os.environ["QUESTION"]}
last = None
with httpx.Client(timeout=30) as client:
    with connect_sse(client, "POST", url, json=body, headers=headers) as source:
        for event in source.iter_sse():
            assert event.id, "every event has an id"
            last = event.json()
            if last["type"] == "text":
                sys.stdout.buffer.write(last["content"].encode())
assert last["type"] == "done", last
