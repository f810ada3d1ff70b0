"""The server: who is let in, what is read of uploads, jobs that survive, answers to moved cases."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from case_fixture import MINIMAL
from decision_fixture import decision
from fabless.errors import BadFile, BadValue, FablessError, UnknownName
from fabless.report.page.bundle import read_data
from fabless.web import running
from fabless.web.answering import MOST, Answerer
from fabless.web.faults import Busy, Stale
from fabless.web.settings import Settings, settings_of
from fabless.web.store import Store
from fabless.web.uploads import LARGEST_CASE, uploaded_case, uploaded_model, uploaded_trace
from web_fixture import CASE, TOKEN, put_decision, serving, until


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server whose case has an answer."""
    folder = tmp_path_factory.mktemp("store")
    put_decision(folder, decision())
    with serving(folder) as client:
        yield client


def faults(response: httpx.Response) -> list[dict[str, str]]:
    """Faults of an answer, each whole."""
    listed: list[dict[str, str]] = response.json()["faults"]
    assert listed
    assert all(set(fault) == {"place", "found", "allowed", "remedy"} for fault in listed)
    return listed


@pytest.mark.parametrize("path", ["/cases", f"/case/{CASE}", "/api/cases", "/nothing", "/static/waiting.js"])
def test_every_answer_carries_the_headers_that_keep_others_out(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:80", "127.0.0.1@evil.example"])
def test_a_foreign_host_is_refused(client: httpx.Client, host: str) -> None:
    response = client.get("/api/cases", headers={"host": host})
    assert response.status_code == 421
    assert faults(response)[0]["place"] == "Host"


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:1"},
])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_changes_something_comes_from_the_servers_own_pages(
    client: httpx.Client, headers: dict[str, str], method: str,
) -> None:
    path = "/api/jobs" if method == "POST" else f"/api/jobs/{'0' * 16}"
    json = {"case": CASE, "detail": "quick"} if method == "POST" else None
    response = client.request(method, path, headers=headers, json=json)
    assert response.status_code == 403
    assert client.request(method, path, json=json).status_code in (200, 404)


def test_only_json_is_posted(client: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        response = client.post("/api/jobs", content=b'{"case": "x"}', headers={"content-type": kind})
        assert response.status_code == 415
    assert client.post("/api/jobs", json={"case": CASE, "more": 1}).status_code == 422


def test_beyond_loopback_every_request_carries_the_token(tmp_path: Path) -> None:
    assert settings_of(host="127.0.0.1", port=1, token="", store=tmp_path).token == ""
    assert len(settings_of(host="0.0.0.0", port=1, token="", store=tmp_path).token) >= 24
    with pytest.raises(BadValue):
        settings_of(host="0.0.0.0", port=1, token="short", store=tmp_path)
    with serving(tmp_path, token=TOKEN) as client:
        for path in ("/", "/api/cases", "/static/waiting.js", "/api/openapi.json"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/api/cases", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        cookie = client.get("/cases", params={"token": TOKEN}).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/api/cases").status_code == 200


def test_a_body_ends_at_its_limit_whether_its_length_is_told_or_not(client: httpx.Client) -> None:
    large = b'{"case": "' + b"x" * 70_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert client.post("/api/jobs", content=large, headers=headers).status_code == 413
    pieces = (large[k:k + 1000] for k in range(0, len(large), 1000))
    assert client.post("/api/jobs", content=pieces, headers=headers).status_code == 413
    huge = '{"text": "' + "x" * 5_000_000 + '"}'
    assert client.post("/api/cases", content=huge.encode(), headers=headers).status_code == 413


BOMB = "name: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"k{k}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 10)}]\n" for k in range(12))
HOSTILE = {
    "a bomb of aliases": BOMB,
    "an alias of itself": "name: &a [*a]\n",
    "brackets without end": "a: " + "[" * 30_000,
    "a deep mapping": "a: " + "{a: " * 5_000,
    "a file packed": "PK\3\4\0\0\0\0",
    "a tag that makes an object": "name: !!python/object/apply:os.system ['touch /tmp/owned']\n",
    "an entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "a formula": "=cmd|' /C calc'!A0",
    "a base by path": "from: ../../etc/passwd.yaml\nname: x\ntitle: x\n",
    "a base that is a file": "from: own.yaml\nname: x\ntitle: x\n",
    "a model by path": MINIMAL.replace("model: llama-2-70b", "model: /etc/passwd.json"),
    "a trace by path": MINIMAL.replace("input_tokens: 1000", "trace: ../secret.csv"),
    "a number of many digits": "name: x\nseed: " + "9" * 10_000,
    "a control character": "name: \x87\n",
    "nothing": "",
    "too much": "a: " + "x" * LARGEST_CASE,
    "a name with a script": MINIMAL.replace("name: minimal", "name: '<script>alert(1)</script>'"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_case_gives_a_clean_error_and_runs_nothing(client: httpx.Client, kind: str) -> None:
    start = time.monotonic()
    response = client.post("/api/cases", json={"text": HOSTILE[kind]})
    assert response.status_code in (400, 422), response.text
    assert "Traceback" not in response.text
    assert "root:" not in response.text
    assert faults(response)
    assert time.monotonic() - start < 10.0
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize(("kind", "text"), [
    ("model", "[" * 100_000), ("model", '{"layers": ' + "9" * 10_000 + "}"), ("model", "{"), ("model", "[]"),
    ("model", '{"model_type": "../../etc/passwd"}'), ("model", '{"model_type": "llama", "num_hidden_layers": -1}'),
    ("trace", "TIMESTAMP,ContextTokens,GeneratedTokens\n=1+1,1e999,nan\n"), ("trace", "\0"),
    ("trace", '"' * 100_000), ("trace", "a,b\n1,2\n"),
])
def test_a_hostile_model_or_trace_gives_a_clean_error(client: httpx.Client, kind: str, text: str) -> None:
    response = client.post("/api/cases", json={"kind": kind, "text": text})
    assert response.status_code in (400, 422), response.text
    assert faults(response)


def test_uploads_are_read() -> None:
    assert uploaded_case(MINIMAL).name == "minimal"
    assert uploaded_case("from: openai-2023\nname: mine\ntitle: Mine\n").title == "Mine"
    for text in ("from: /etc/x.yaml\nname: x\ntitle: x\n", "\0"):
        with pytest.raises((BadFile, BadValue)):
            uploaded_case(text)
    with pytest.raises(UnknownName):
        uploaded_model("{}")
    trace = uploaded_trace("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,10,20\n")
    assert trace.request.output_tokens == 20.0


def test_a_script_in_a_title_stays_text(client: httpx.Client) -> None:
    title = "</title><script>alert(1)</script>"
    text = MINIMAL.replace("title: A small service", f"title: '{title}'")
    uploaded = client.post("/api/cases", json={"text": text}).json()
    assert uploaded["title"] == title
    for path in ("/cases", f"/case/{uploaded['name']}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
    assert {entry["name"] for entry in client.get("/api/cases").json()} >= {CASE, uploaded["name"]}


def test_an_unknown_case_or_job_is_not_found(client: httpx.Client) -> None:
    for path in ("/case/none", f"/api/jobs/{'0' * 16}"):
        assert client.get(path).status_code == 404
    assert client.post("/api/jobs", json={"case": "none"}).status_code == 404
    for changes in ({"demand.none": 1.0}, {"demand.growth": 1e9}):
        response = client.post("/api/rough", json={"case": CASE, "changes": changes})
        assert response.status_code == 422
        assert faults(response)
    response = client.post("/api/rough", json={"case": "lab-2025"})
    assert "no answer" in faults(response)[0]["found"]


def test_the_page_of_a_case_may_ask_its_server_and_nobody_else(client: httpx.Client) -> None:
    page = client.get(f"/case/{CASE}")
    assert '<meta name="fabless-api" content="/api">' in page.text
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    waiting = client.get("/case/openai-2023")
    assert "/static/waiting.js" in waiting.text
    job = waiting.text.partition('data-jobs="')[2].partition('"')[0]
    assert client.delete(f"/api/jobs/{job}").json()["state"] == "cancelled"


def test_the_page_of_a_case_leads_to_every_page_and_case(client: httpx.Client) -> None:
    text = client.get(f"/case/{CASE}").text
    for address in ("/cases", "/compare", "/query", "/chip", "/facts"):
        assert f'<a href="{address}"' in text
    for entry in client.get("/api/cases").json():
        assert f'<a href="/case/{entry["name"]}"' in text


def test_the_full_answer_to_a_moved_case_has_a_page(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ident, changes = "0" * 16, {"demand.growth": 2.5}
    store.ask(ident, CASE, changes, "quick")
    assert store.take() is not None
    store.finish(ident, decision())
    with serving(tmp_path) as client:
        text = client.get(f"/case/{CASE}/answer/{ident}").text
        data = re.search(r'id="page-data"[^>]*>([^<]+)<', text)
        assert data
        page = read_data(data[1])
        assert (page["server_name"], page["server_changes"]) == (CASE, changes)
        for address in (f"/case/openai-2023/answer/{ident}", f"/case/{CASE}/answer/{'1' * 16}"):
            assert client.get(address).status_code == 404


def test_the_same_question_is_answered_from_disk(client: httpx.Client) -> None:
    start = time.monotonic()
    first = client.post("/api/jobs", json={"case": CASE, "detail": "quick"}).json()
    again = client.post("/api/jobs", json={"case": CASE, "detail": "quick", "changes": {}}).json()
    assert first["state"] == again["state"] == "done"
    assert first["id"] == again["id"]
    assert time.monotonic() - start < 2.0
    with client.stream("GET", f"/api/jobs/{first['id']}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert '"state":"done"' in "".join(events.iter_text())


class Held:
    """A worker whose answers come when the test says so."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.go = threading.Semaphore(0)

    def answer(self, question: object) -> dict[str, object]:
        self.asked.append(question)
        self.go.acquire()
        return {"answer": question}


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Answerer, Held]]:
    worker = Held()
    answerer = Answerer(Settings(store=tmp_path), "rough")
    monkeypatch.setattr(answerer, "_answer", worker.answer)
    yield answerer, worker
    worker.go.release(1000)
    answerer.stop()


def test_the_newest_question_of_a_reader_wins(held: tuple[Answerer, Held]) -> None:
    answerer, worker = held
    first = answerer.ask({"n": 0}, "me")
    until(lambda: worker.asked)
    waiting = [answerer.ask({"n": n}, "me") for n in range(1, 20)]
    other = answerer.ask({"n": 3}, "another")
    worker.go.release(3)
    assert waiting[-1].result(10) == {"answer": {"n": 19}}
    assert first.result(10) == {"answer": {"n": 0}}
    assert other.result(10) == {"answer": {"n": 3}}
    assert all(isinstance(item.exception(10), Stale) for item in waiting[:-1])
    assert len(worker.asked) == 3


def test_a_question_is_worked_on_once_and_kept(held: tuple[Answerer, Held]) -> None:
    answerer, worker = held
    futures = [answerer.ask({"n": 1}, f"reader {k}") for k in range(50)]
    worker.go.release(1)
    assert {str(item.result(10)) for item in futures} == {str({"answer": {"n": 1}})}
    assert answerer.ask({"n": 1}, "late").result(0) == {"answer": {"n": 1}}
    assert len(worker.asked) == 1


def test_too_many_questions_are_refused(held: tuple[Answerer, Held]) -> None:
    answerer, _ = held
    answerer.ask({"n": -1}, "")
    until(lambda: held[1].asked)
    for n in range(MOST):
        answerer.ask({"n": n}, "")
    with pytest.raises(Busy):
        answerer.ask({"n": MOST}, "")


def test_fifty_readers_at_once_get_right_answers(client: httpx.Client) -> None:
    def read(k: int) -> bool:
        with httpx.Client(base_url=client.base_url, timeout=60.0, trust_env=False) as reader:
            if k % 2:
                return any(item["name"] == CASE for item in reader.get("/api/cases").json())
            job = reader.post("/api/jobs", json={"case": CASE, "detail": "quick"}).json()
            return bool(job["state"] == "done" and job["case"] == CASE)

    with ThreadPoolExecutor(50) as readers:
        assert all(readers.map(read, range(50)))


def test_jobs_are_taken_once_and_resumed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ask("a" * 16, CASE, {}, "standard")
    store.ask("b" * 16, CASE, {}, "quick")
    store.ask("a" * 16, CASE, {}, "standard")
    taken = [store.take(), store.take(), store.take()]
    assert [job and job.id for job in taken] == ["b" * 16, "a" * 16, None]
    assert store.end("b" * 16, "cancelled")
    store.finish("b" * 16, decision())
    assert store.decision("b" * 16) is None
    store.finish("a" * 16, decision())
    assert store.decision("a" * 16) == decision()
    assert not store.end("a" * 16, "cancelled")
    store.ask("b" * 16, CASE, {}, "quick")
    store.take()
    Store(tmp_path).resume()
    job = Store(tmp_path).take()
    assert job is not None
    assert job.id == "b" * 16


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    process = running.own_process("rough", str(tmp_path), "")
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == -signal.SIGKILL
    running.end_process(process)


def test_every_error_of_a_case_is_one_of_the_programs_own() -> None:
    for text in HOSTILE.values():
        with pytest.raises(FablessError):
            uploaded_case(text)


@pytest.mark.slow
def test_a_killed_server_loses_nothing_finished_and_resumes_the_rest(tmp_path: Path) -> None:
    put_decision(tmp_path, decision(), "openai-2023")

    def started() -> tuple[subprocess.Popen[bytes], httpx.Client]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "fabless", "web", "--port", str(port), "--store", str(tmp_path),
             "--detail", "quick"], stdout=subprocess.DEVNULL)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0, trust_env=False)

        def answers() -> bool:
            try:
                return client.get("/api/cases").status_code == 200
            except httpx.TransportError:
                return False

        until(answers)
        return process, client

    process, client = started()
    job = client.post("/api/jobs", json={"case": CASE, "detail": "quick"}).json()["id"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["line"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    client.close()
    process, client = started()
    try:
        until(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done", 300.0)
        done = client.post("/api/jobs", json={"case": "openai-2023", "detail": "quick"}).json()
        assert done["state"] == "done"
        rough = client.post("/api/rough", json={"case": CASE}).json()
        base = Store(tmp_path).decision(job)
        assert base is not None
        for way in base.strategies:
            assert rough["answers"][way.name]["total"] == pytest.approx(way.total_usd, rel=1e-9)
            assert rough["answers"][way.name]["cents"] == pytest.approx(way.cost_per_query_usd.p50, rel=1e-9)
        twelve = client.post("/api/twelve", json={"case": CASE, "changes": {"demand.growth": 1.7}}).json()
        assert len(twelve["ways"][0]["dots"]) == 20
        assert twelve["paths"] == 24
    finally:
        client.close()
        process.terminate()
        process.wait()


AWKWARD: tuple[object, ...] = (
    None, True, -1, 0, 1e308, 10**30, "", "x" * 500, "\0", "../../etc/passwd", "<script>", "\u202e", [], {}, [[]],
    {"": ""}, {"demand.growth": 1e308}, {"demand.growth": "a"}, ["h100-sxm"] * 50,
)


def awkward_bodies(schema: dict[str, object], known: dict[str, dict[str, object]]) -> Iterator[object]:
    """Bodies of a call: everything but what its schema means, and each field of it spoilt in turn."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    fields = known.get(name, schema).get("properties", {})
    assert isinstance(fields, dict)
    yield from AWKWARD
    usual: dict[str, object] = {"case": CASE, "text": "a: b"} if name else {}
    for field in fields:
        for value in AWKWARD:
            yield {**{key: usual[key] for key in usual if key in fields}, field: value}


@pytest.mark.slow
def test_no_call_of_the_api_fails_whatever_it_is_asked(tmp_path: Path) -> None:
    put_decision(tmp_path, decision())
    with serving(tmp_path) as client:
        api = client.get("/api/openapi.json").json()
        known = api["components"]["schemas"]
        asked = 0
        for path, calls in api["paths"].items():
            for method, call in calls.items():
                places = [path.replace("{", "").replace("}", "")]
                if "{" in path:
                    places = [path.partition("{")[0] + quote(str(value), safe="") for value in AWKWARD]
                query = [item["name"] for item in call.get("parameters", []) if item["in"] == "query"]
                for place in places:
                    queries = [{name: str(value)[:300]} for name in query for value in AWKWARD] or [{}]
                    for params in queries:
                        bodies = [None]
                        if "requestBody" in call:
                            content = call["requestBody"]["content"]["application/json"]["schema"]
                            bodies = list(awkward_bodies(content, known))
                        for body in bodies:
                            response = client.request(method, place, params=params, json=body)
                            assert response.status_code < 500, (method, place, params, body, response.text)
                            if response.status_code >= 400:
                                faults(response)
                            asked += 1
        assert asked > 300
