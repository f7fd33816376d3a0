"""What the official Anthropic SDK does about each fault: attempts and waits.

    MOCK_URL=http://127.0.0.1:8100 python sdk_retries.py < rows.json > results.json

A row is {"name", "fault", "times", "stream", "timeout"}; a result {"name", "attempts",
"waits", "outcome"}. Waits are in seconds, and recorded instead of waited; the random part of
a wait is 0. It resets the mock before every row.
"""

import json
import os
import sys
import time
import types
import urllib.request
import warnings

try:
    import anthropic
    from anthropic import _base_client
except ImportError as error:
    print(f"the SDK isn't installed ({error}): pip install anthropic==2.12.0", file=sys.stderr)
    sys.exit(2)

URL = os.environ["MOCK_URL"].rstrip("/")
QUESTION = [{"role": "user", "content": "¿Está bien esta factura?"}]

# That the model is old is no matter here.
warnings.simplefilter("ignore", DeprecationWarning)

WAITS = []
_base_client.time = types.SimpleNamespace(**{**vars(time), "sleep": WAITS.append})
_base_client.random = lambda: 0.0


def control(method, path, body=None):
    """Calls the mock's control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def ask(client, stream):
    """Makes one call and reads its whole answer."""
    call = {"model": "claude-sonnet-4-5", "max_tokens": 50, "messages": QUESTION}
    if not stream:
        return client.messages.create(**call)
    return [event for event in client.messages.create(stream=True, **call)]


def run(row):
    """One row: the attempts that the mock counted, the waits, and how it ended."""
    control("POST", "/mock/reset")
    control("POST", "/mock/faults", {"fault": row["fault"], "times": row["times"]})
    WAITS.clear()
    client = anthropic.Anthropic(
        base_url=URL, api_key="sk-ant-oracle", max_retries=2, timeout=row["timeout"]
    )
    try:
        ask(client, row["stream"])
        outcome = "ok"
    except Exception as error:  # any failure is a result here
        outcome = type(error).__name__
    attempts = control("GET", "/mock/stats")["requests"].get("/v1/messages", 0)
    return {
        "name": row["name"],
        "attempts": attempts,
        "waits": list(WAITS),
        "outcome": outcome,
    }


def main():
    json.dump([run(row) for row in json.load(sys.stdin)], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
