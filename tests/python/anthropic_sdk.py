"""Drives mock-anthropic with the official Anthropic SDK.

    MOCK_URL=http://127.0.0.1:8100 python anthropic_sdk.py

Prints one line per check; exits 1 if one fails, 2 if it can't be run. It resets the mock
before every check, so nothing else may use that mock at the same time.
"""

import json
import os
import sys
import traceback
import urllib.error
import urllib.request

try:
    import anthropic
    from pydantic import BaseModel
except ImportError as error:
    print(f"the SDK isn't installed ({error}): pip install anthropic==2.12.0", file=sys.stderr)
    sys.exit(2)

URL = os.environ.get("MOCK_URL", "").rstrip("/")
if not URL:
    print("MOCK_URL isn't set", file=sys.stderr)
    sys.exit(2)

MODEL = "claude-opus-4-8"
QUESTION = [{"role": "user", "content": "¿Está bien esta factura?"}]
# Over the 1,024 tokens that this model caches at least.
LONG_SYSTEM = "Eres un revisor de documentos tributarios chilenos. " * 100
SCHEMA = {
    "type": "object",
    "properties": {
        "recommendation": {"type": "string", "enum": ["send", "review", "reject"]},
        "confidence": {"type": "integer"},
        "findings": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["recommendation", "confidence", "findings"],
    "additionalProperties": False,
}


def control(method, path, body=None):
    """Calls the mock's control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def client(**options):
    options = {"api_key": "any", "max_retries": 0, "timeout": 20.0, **options}
    return anthropic.Anthropic(base_url=URL, **options)


def raises(error_class, call):
    """The error that a call must end with."""
    try:
        call()
    except error_class as error:
        assert type(error) is error_class, f"{type(error)} instead of {error_class}"
        return error
    raise AssertionError(f"no {error_class.__name__} was raised")


def ask(using=None, **extra):
    options = {"model": MODEL, "max_tokens": 200, "messages": QUESTION, **extra}
    return (using or client()).messages.create(**options)


def check_message():
    message = ask()
    assert message.type == "message" and message.role == "assistant", message
    assert message.id.startswith("msg_") and message.model == MODEL, message
    assert message._request_id.startswith("req_"), message._request_id
    assert message.content[0].type == "text" and message.content[0].text, message
    assert message.stop_reason == "end_turn", message.stop_reason
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage
    assert ask().content == message.content, "the same prompt must be answered the same way"


def check_limits():
    message = ask(max_tokens=5)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5), message
    control("POST", "/mock/answers", {"text": "uno dos tres FIN cuatro", "times": 1})
    message = ask(stop_sequences=["FIN"])
    assert message.content[0].text == "uno dos tres ", message
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "FIN"), message


def check_prompt_cache():
    system = [{"type": "text", "text": LONG_SYSTEM, "cache_control": {"type": "ephemeral"}}]
    first, second = ask(system=system).usage, ask(system=system).usage
    assert first.cache_creation_input_tokens > 1024, first
    assert first.cache_creation.ephemeral_5m_input_tokens == first.cache_creation_input_tokens
    assert first.cache_read_input_tokens == 0, first
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens, second
    assert second.cache_creation_input_tokens == 0, second
    assert second.input_tokens == first.input_tokens, second
    short = [{"type": "text", "text": "Corto.", "cache_control": {"type": "ephemeral"}}]
    usage = ask(system=short).usage
    assert usage.cache_creation_input_tokens == usage.cache_read_input_tokens == 0, usage
    mark = {"type": "ephemeral"}
    five = [{"type": "text", "text": f"{n}", "cache_control": mark} for n in range(5)]
    error = raises(anthropic.BadRequestError, lambda: ask(system=five))
    assert "maximum of 4" in error.api_message, error


def check_stream():
    whole = ask()
    options = {"model": MODEL, "max_tokens": 200, "messages": QUESTION}
    with client().messages.stream(**options) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text, text
    assert final.stop_reason == "end_turn", final
    assert final.usage.output_tokens == whole.usage.output_tokens, final.usage
    assert final.usage.input_tokens == whole.usage.input_tokens, final.usage
    kinds = [event.type for event in ask(stream=True)]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds
    with urllib.request.urlopen(urllib.request.Request(
        URL + "/v1/messages",
        data=json.dumps({**options, "stream": True}).encode(),
        headers={"x-api-key": "any", "anthropic-version": "2023-06-01"},
    ), timeout=10) as response:
        raw = response.read().decode()
    assert raw.count("event: ping\n") == 2, "the SDK hides pings; they must be on the wire"


def check_stream_error():
    control("POST", "/mock/faults", {"fault": "error_event", "times": 1})
    seen = []

    def read():
        for event in ask(stream=True):
            seen.append(event.type)

    # The status was 200, so the SDK has no class of its own for it: the type tells.
    error = raises(anthropic.APIStatusError, read)
    assert error.type == "overloaded_error", error.type
    assert "message_start" in seen and "message_stop" not in seen, seen


def check_stream_cut():
    control("POST", "/mock/faults", {"fault": "cut_stream=3", "times": 1})
    seen = []

    def read():
        for event in ask(stream=True):
            seen.append(event.type)

    try:
        read()
    except Exception as error:  # The SDK passes its transport's own error on.
        assert "message_stop" not in seen, seen
        assert seen[:2] == ["message_start", "content_block_start"], seen
        assert not isinstance(error, AssertionError), error
    else:
        raise AssertionError("a cut stream must not end like a complete one")


def check_count_tokens():
    count = client().messages.count_tokens(model=MODEL, messages=QUESTION, system=LONG_SYSTEM)
    assert count.input_tokens == ask(system=LONG_SYSTEM).usage.input_tokens, count


def check_retry():
    control("POST", "/mock/faults", {"fault": "overloaded", "times": 2})
    message = ask(client(max_retries=2))
    assert message.stop_reason == "end_turn", message
    stats = control("GET", "/mock/stats")
    assert stats["requests"]["/v1/messages"] == 3, stats
    assert stats["responses"]["/v1/messages"] == {"200": 1, "529": 2}, stats
    assert stats["faults"] == {"overloaded": 2}, stats


def check_retry_after():
    control("POST", "/mock/faults", {"fault": "rate_limit=100ms", "times": 1})
    assert ask(client(max_retries=1)).stop_reason == "end_turn"
    assert control("GET", "/mock/stats")["responses"]["/v1/messages"] == {"200": 1, "429": 1}


def check_structured_output():
    output = {"format": {"type": "json_schema", "schema": SCHEMA}}
    answer = json.loads(ask(output_config=output).content[0].text)
    assert answer == {"recommendation": "send", "confidence": 0, "findings": []}, answer

    class Verdict(BaseModel):
        recommendation: str
        confidence: int
        findings: list[str]

    parsed = client().messages.parse(
        model=MODEL, max_tokens=200, messages=QUESTION, output_format=Verdict)
    assert parsed.parsed_output == Verdict(recommendation="texto", confidence=0, findings=[])
    opened = {key: value for key, value in SCHEMA.items() if key != "additionalProperties"}
    output = {"format": {"type": "json_schema", "schema": opened}}
    error = raises(anthropic.BadRequestError, lambda: ask(output_config=output))
    assert "additionalProperties" in error.api_message, error


def check_forced_tool():
    tool = {"name": "veredicto", "description": "El veredicto.", "input_schema": SCHEMA}
    choice = {"type": "tool", "name": "veredicto"}
    message = ask(tools=[tool], tool_choice=choice)
    assert message.stop_reason == "tool_use", message
    block = message.content[0]
    assert (block.type, block.name) == ("tool_use", "veredicto"), block
    assert block.input["recommendation"] == "send", block
    options = {"model": MODEL, "max_tokens": 200, "messages": QUESTION}
    with client().messages.stream(**options, tools=[tool], tool_choice=choice) as stream:
        final = stream.get_final_message()
    assert final.content[0].input == block.input and final.stop_reason == "tool_use", final


def check_errors():
    unauthenticated = urllib.request.Request(
        URL + "/v1/messages", data=b"{}", headers={"anthropic-version": "2023-06-01"})
    try:
        urllib.request.urlopen(unauthenticated, timeout=10)
        raise AssertionError("a request without a key was accepted")
    except urllib.error.HTTPError as error:
        body = json.load(error)
        assert (error.code, body["error"]["type"]) == (401, "authentication_error"), body
    faults = [
        ("status=401", anthropic.AuthenticationError, "authentication_error", None),
        ("status=403", anthropic.PermissionDeniedError, "permission_error", None),
        ("rate_limit=30", anthropic.RateLimitError, "rate_limit_error", None),
        ("spend_limit", anthropic.EnforcedSpendLimitReachedError, "rate_limit_error",
         "enforced_spend_limit_reached"),
    ]
    for fault, error_class, kind, code in faults:
        control("POST", "/mock/faults", {"fault": fault, "times": 1})
        error = raises(error_class, ask)
        assert (error.type, error.error_code) == (kind, code), (fault, error.type)
        assert error.request_id.startswith("req_"), error.request_id
        if fault == "rate_limit=30":
            assert error.response.headers["retry-after"] == "30", error.response.headers
    error = raises(anthropic.NotFoundError, lambda: ask(model="gpt-4o"))
    assert error.type == "not_found_error", error.type
    error = raises(anthropic.BadRequestError, lambda: ask(messages=[]))
    assert error.type == "invalid_request_error", error.type
    limits = client().messages.with_raw_response.create(
        model=MODEL, max_tokens=5, messages=QUESTION).headers
    assert int(limits["anthropic-ratelimit-requests-remaining"]) < 4000, limits


def main():
    checks = [(name, call) for name, call in globals().items() if name.startswith("check_")]
    failures = 0
    for name, check in checks:
        control("POST", "/mock/reset")
        try:
            check()
            print(f"ok   {name.removeprefix('check_')}", flush=True)
        except Exception:
            failures += 1
            print(f"FAIL {name.removeprefix('check_')}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failures} of {len(checks)} checks with anthropic "
          f"{anthropic.__version__}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
