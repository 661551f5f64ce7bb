"""The server: to this machine alone, a fixed set of files, and questions within limits."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import Any

import numpy as np
import pytest

import deeplimit as dl
from deeplimit.playground.server import POLICY
from playground.decoding import read

Headers = dict[str, str]


class Client:
    """Requests as a browser, or somebody else, would send them."""

    def __init__(self, address: str) -> None:
        self.host = address.removeprefix("http://").rstrip("/")

    def __call__(
        self, method: str, path: str, body: bytes | None = None, headers: Headers | None = None
    ) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.putrequest(method, path, skip_host=bool(headers and "Host" in headers))
        sent = dict(headers or {})
        if body is not None and "Content-Length" not in sent:
            sent["Content-Length"] = str(len(body))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content

    def ask(self, name: str, question: Any, headers: Headers | None = None) -> tuple[int, Any]:
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        status, _, content = self("POST", f"/api/{name}", body, sent)
        return status, json.loads(content)


@pytest.fixture(scope="module")
def client(served: str) -> Client:
    return Client(served)


def test_listens_to_this_machine_alone(served: str) -> None:
    port = int(served.rstrip("/").rpartition(":")[2])
    with socket.socket() as other:
        other.settimeout(2)
        # Another address of this same machine, at which nobody listens.
        assert other.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("path", ["/", "/index.html", "/data.html", "/app.js", "/style.css"])
def test_every_answer_bears_the_policy(client: Client, path: str) -> None:
    status, headers, content = client("GET", path)
    assert status == 200
    assert content
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get("Access-Control-Allow-Origin") is None


def test_policy_allows_nothing_inline_and_nobody_else() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert not re.search(r"unsafe|http|\*", POLICY)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", "", "localhost"]
)
def test_other_hosts_are_refused(client: Client, host: str) -> None:
    status, _, content = client("GET", "/index.html", headers={"Host": host})
    assert status == 403
    assert b"deeplimit" not in content


def test_localhost_is_this_machine(client: Client) -> None:
    host = client.host.replace("127.0.0.1", "localhost")
    assert client("GET", "/index.html", headers={"Host": host})[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_other_origins_are_refused(client: Client, origin: str) -> None:
    assert client.ask("profile", {"formula": "relu"}, {"Origin": origin})[0] == 403


def test_the_page_itself_is_answered(client: Client) -> None:
    headers = {"Origin": f"http://{client.host}"}
    assert client.ask("columns", {"text": "a,b\n1,x\n2,y\n"}, headers)[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_sites_send_without_asking_is_refused(client: Client, kind: str) -> None:
    status, _, _ = client("POST", "/api/profile", b"{}", {"Content-Type": kind})
    assert status == 415


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/static/../server.py", "/server.py",
        "/profiles/../index.json", "/profiles/..%2f..%2f__init__.json", "/profiles/.json",
        "//etc/passwd", "/etc/passwd", "/profiles/", "/profiles/nobody.json", "/index.html/",
        "/%00", "/.", "/profiles/relu.json/x",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client("GET", path)[0] == 404


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/profile/x", "/", "/index.html"])
def test_no_other_question_is_answered(client: Client, path: str) -> None:
    assert client("POST", path, b"{}", {"Content-Type": "application/json"})[0] == 404


def test_too_long_a_question_is_not_even_read(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "3000001"}
    assert client("POST", "/api/table", b"", headers)[0] == 413
    headers["Content-Length"] = "9" * 30
    assert client("POST", "/api/table", b"", headers)[0] == 413
    headers["Content-Length"] = "-1"
    assert client("POST", "/api/table", b"", headers)[0] == 411


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000])
def test_what_is_no_question_is_a_sentence(client: Client, body: bytes) -> None:
    status, answer = client.ask("profile", body)
    assert status == 400
    assert list(answer) == ["error"]


@pytest.mark.parametrize(
    "question",
    [
        {}, {"formula": ""}, {"formula": 3}, {"formula": "relu(" * 9},
        {"formula": "__import__('os')"},
        {"formula": "x" * 201}, {"formula": "exp(x^2)"}, {"formula": "y"}, {"formula": "5"},
        {"hermite": []}, {"hermite": [1]},
        {"hermite": [0, 0]}, {"hermite": ["1"]}, {"hermite": [1e400]}, {"hermite": [True]},
        {"hermite": [0.1] * 17}, {"hermite": {"a": 1}},
    ],
)  # fmt: skip
def test_what_is_no_activation_is_a_sentence(client: Client, question: Any) -> None:
    status, answer = client.ask("profile", json.dumps(question).encode())
    # A sentence is an answer: a browser would log another status as a fault.
    assert status == 200
    assert list(answer) == ["error"]
    assert answer["error"].strip()
    assert "Traceback" not in answer["error"]


def test_a_head_has_no_body(client: Client) -> None:
    status, headers, content = client("HEAD", "/style.css")
    assert status == 200
    assert int(headers["Content-Length"]) > 1000
    assert content == b""


def test_a_typed_formula_is_tabulated(client: Client) -> None:
    status, made = client.ask("profile", {"formula": "sin(1.5x)"})
    assert status == 200
    act, s = dl.Activation("sin(1.5x)"), np.array([1e-9, 0.02, 0.4, 1.3])
    for table in made["tables"]:
        if table["kind"] == "ntk":
            truth = dl.NetworkKernel(act, table["depth"]).log_and_sign_at_gap(s, normalize=True)
        elif table["kind"] == "limit":
            truth = dl.LimitKernel(act).log_and_sign_at_gap(s)
        else:
            continue
        for got, wanted in zip(read(made, table, s), truth, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-7)
    assert eval(made["code"], {"dl": dl}) == "sin(1.5x)"


def test_drawn_coefficients_are_tabulated(client: Client) -> None:
    status, made = client.ask("profile", {"hermite": [0, 0.5, 0, -0.5]})
    assert status == 200
    assert made["constants"]["dimension"] == 2
    drawn = eval(made["code"], {"dl": dl})
    np.testing.assert_allclose(made["hermite"][:4], drawn.hermite(4))


def test_named_profiles_are_served(client: Client) -> None:
    _, _, content = client("GET", "/profiles/index.json")
    index = json.loads(content)
    assert index["python"] is True
    assert index["version"] == dl.__version__
    _, headers, content = client("GET", "/profiles/h3.json")
    assert headers["Content-Type"] == "application/json"
    assert json.loads(content)["regime"] == "nearest-neighbour"
