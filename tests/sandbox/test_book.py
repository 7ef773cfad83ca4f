"""The book tells all that happened, in order, without a key, and brings a sandbox back."""

import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.client import IncompleteRead
from pathlib import Path

import pytest

from deploy.sandbox.client import SandboxError, SandboxProcess
from deploy.sandbox.defaults import company, key_of
from tests.sandbox.documents import COMPANY, bill, invoice, payment, receipt
from tests.sandbox.shop import Shop, read_book
from tests.waiting import wait_for

REQUEST = {
    "kind", "n", "at", "request_id", "method", "path", "endpoint", "key_sha256", "key_company",
    "idempotency_key", "body", "raw", "query",
}  # fmt: skip
STORED = {
    "kind", "n", "at", "request_id", "company_id", "company_name", "endpoint", "number", "contact_code",
    "document_id", "document",
}  # fmt: skip
REPLY = {"kind", "n", "at", "request_id", "status", "code", "fault"}


def test_a_push_is_three_lines_in_the_book_before_its_answer(shop: Shop) -> None:
    answer = shop.post("sales-invoices", invoice())
    request, stored, reply = shop.events()
    assert [set(event) for event in (request, stored, reply)] == [REQUEST, STORED, REPLY]
    assert request["request_id"] == stored["request_id"] == reply["request_id"] == answer.body["request_id"]
    assert (request["method"], request["path"]) == ("POST", "/api/v1/sales-invoices")
    assert (request["endpoint"], request["key_company"]) == ("pos_invoice", shop.company_id)
    assert request["key_sha256"] == hashlib.sha256(shop.key.encode()).hexdigest()
    assert (request["idempotency_key"], request["body"], request["raw"]) == (
        "sales-invoices/S1",
        invoice(),
        None,
    )
    assert (stored["company_id"], stored["company_name"]) == (shop.company_id, COMPANY)
    assert (stored["endpoint"], stored["number"], stored["contact_code"]) == (
        "pos_invoice",
        "S1",
        "POS-WALKIN",
    )
    assert (stored["document_id"], stored["document"]) == (answer.body["document"]["id"], invoice())
    assert (reply["status"], reply["code"], reply["fault"]) == (201, "created", None)


def test_a_look_up_and_what_is_no_json_are_in_the_book(shop: Shop) -> None:
    shop.look_up("S1")
    shop.call("POST", "/api/v1/sales-invoices", b"not json " * 1000, {"Content-Type": "application/json"})
    asked, junk = shop.events("request")
    assert asked["query"] == {"company": COMPANY, "number": "S1", "contact": "POS-WALKIN"}
    assert asked["body"] is None
    assert junk["body"] is None
    assert junk["raw"] == ("not json " * 1000)[:2000]


def test_the_book_is_numbered_and_timed_without_a_gap_and_every_request_has_one_reply(
    own_book: Path,
) -> None:
    with SandboxProcess(own_book, "--no-rate-limit") as sandbox:
        shop = Shop(sandbox, "c1")
        for behaviour in ("timeout_after_storing", "reset_after_storing", "half_reply", "html"):
            shop.fault(behaviour)

        def push(number: int) -> int | None:
            try:
                return shop.post("sales-invoices", invoice(f"S{number % 60}"), timeout=1.0).status
            except (OSError, IncompleteRead):
                return None

        with ThreadPoolExecutor(8) as pool:
            statuses = Counter(pool.map(push, range(200)))
    events = read_book(own_book)
    assert statuses[None] == 3
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    times = [datetime.fromisoformat(event["at"]) for event in events]
    assert times == sorted(times)
    assert times[0].utcoffset() == timedelta(0)
    place: dict[str, dict[str, int]] = {kind: {} for kind in ("request", "stored", "reply")}
    for event in events:
        if event["kind"] in place:
            assert event["request_id"] not in place[event["kind"]]
            place[event["kind"]][event["request_id"]] = event["n"]
    assert place["request"].keys() == place["reply"].keys()
    assert len(place["request"]) == 200
    assert all(place["request"][each] < n < place["reply"][each] for each, n in place["stored"].items())
    assert len(place["stored"]) == 60
    replied = Counter(event["status"] for event in events if event["kind"] == "reply")
    assert replied == statuses


def test_a_restart_loses_nothing(own_book: Path) -> None:
    with SandboxProcess(own_book) as sandbox:
        shop = Shop(sandbox, "c1", locked_until="2025-12-31")
        first = shop.post("sales-invoices", invoice())
        shop.post("sales-receipts", receipt("S1-R1", "60.00"))
        shop.post("expense-bills", bill())
        shop.post("expense-payments", payment())
        before = sandbox.documents()
    lines = len(read_book(own_book))
    with SandboxProcess(own_book) as sandbox:
        shop.sandbox = sandbox
        assert sandbox.documents() == before
        again = shop.post("sales-invoices", invoice())
        assert (again.status, again.body["document"]) == (200, first.body["document"])
        assert shop.post("sales-receipts", receipt("S1-R2", "39.01")).code == "AMOUNT_EXCEEDS_OUTSTANDING"
        assert shop.post("sales-receipts", receipt("S1-R2", "39.00")).status == 201
        assert shop.post("sales-invoices", invoice("S2", date="2025-12-31")).code == "PERIOD_LOCKED"
    events = read_book(own_book)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) > lines
    ids = [event["document_id"] for event in events if event["kind"] == "stored"]
    assert len(ids) == len(set(ids)) == 5
    requests = [event["request_id"] for event in events if event["kind"] == "request"]
    assert len(requests) == len(set(requests))


def test_a_crash_loses_nothing_that_was_stored_and_closes_what_it_left_open(own_book: Path) -> None:
    sandbox = SandboxProcess(own_book)
    sandbox.start()
    shop = Shop(sandbox, "c1")
    shop.post("sales-invoices", invoice())
    shop.fault("delay", seconds=60)
    with pytest.raises(TimeoutError):
        shop.post("sales-invoices", invoice("S2"), timeout=0.3)
    sandbox.kill()
    with own_book.open("ab") as book:
        book.write(b'{"kind": "stored", "n": 99, "cut o')
    with sandbox:
        assert shop.post("sales-invoices", invoice()).status == 200
        assert shop.stored() == ["S1"]
        closed = shop.events("reply")[1]
        assert (closed["status"], closed["code"]) == (None, "process ended")
    events = read_book(own_book)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))


def test_no_api_key_is_in_the_book_wherever_a_client_puts_it(own_book: Path) -> None:
    with SandboxProcess(own_book) as sandbox:
        shop = Shop(sandbox, "c1")
        secret = shop.key
        shop.post("sales-invoices", {**invoice(memo=f"my key is {secret}"), secret: [secret]})
        shop.get("sales-invoices", number=secret, contact=secret)
        shop.call("GET", f"/api/v1/{secret}")
        shop.post("sales-invoices", invoice("S2"), {"Idempotency-Key": secret})
        shop.call("POST", "/api/v1/sales-invoices", f"{{ {secret}".encode())
        shop.sandbox.patch_company("c1", keys=[{"key": "another-" + secret}])
        assert shop.stored() == ["S1", "S2"]
    assert secret not in own_book.read_text()
    assert len([event for event in read_book(own_book) if event["kind"] == "request"]) == 5


def test_what_is_set_is_in_the_book(own_book: Path) -> None:
    with SandboxProcess(own_book) as sandbox:
        sandbox.put_company(company("c1", COMPANY))
        sandbox.add_fault("html", id="page", times=1)
        sandbox.clear_faults("page")
        sandbox.set_latency(0)
    set_up = read_book(own_book)
    assert [event["what"] for event in set_up] == ["company", "fault", "faults removed", "latency"]
    assert set_up[0]["detail"]["keys"][0]["key_sha256"] == hashlib.sha256(key_of("c1").encode()).hexdigest()


def test_a_config_sets_the_sandbox_up_and_the_book_wins_over_it(own_book: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    faults = [{"behaviour": "status", "status": 503, "times": 1}]
    config.write_text(json.dumps({"companies": [company("c1", COMPANY)], "faults": faults}))
    options = ("--config", str(config), "--latency-ms", "1")
    shop = None
    for status in (201, 200):
        with SandboxProcess(own_book, *options) as sandbox:
            shop = shop or Shop(sandbox, "c1")
            shop.sandbox = sandbox
            assert shop.post("sales-invoices", invoice()).status == 503
            assert shop.post("sales-invoices", invoice()).status == status
    companies = [event for event in read_book(own_book) if event.get("what") == "company"]
    assert len(companies) == 2


def test_it_stops_cleanly_while_a_call_hangs(own_book: Path) -> None:
    sandbox = SandboxProcess(own_book)
    sandbox.start()
    shop = Shop(sandbox, "c1")
    shop.fault("timeout_after_storing")
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(shop.post, "sales-invoices", invoice())
        wait_for(lambda: len(shop.events("reply")) == 1, 10, "the call to hang")
        assert sandbox.stop() == 0
        assert isinstance(hanging.exception(10), OSError)


def test_a_sandbox_that_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="before it was ready"):
        SandboxProcess(tmp_path / "book.jsonl", "--port", "-7").start()


def test_calls_are_counted_by_company_endpoint_and_status(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.post("sales-invoices", invoice())
    shop.post("sales-invoices", invoice())
    counted = [each for each in shop.sandbox.counts() if each["company_id"] == shop.company_id]
    assert sorted((each["endpoint"], each["status"], each["count"]) for each in counted) == [
        ("pos_invoice", 200, 2),
        ("pos_invoice", 201, 1),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "X", "colour": "red"},
        {"name": "X", "keys": [{"key": "short"}]},
        {"name": "X", "keys": [{"key": "long enough?", "scopes": ["all"]}]},
        {"name": "X", "keys": [{"key": "same-key-0001"}]},
        {"name": "X", "accounts": [{"code": "1", "kind": "cash"}]},
        {"name": "X", "locked_until": "soon"},
        {"name": "X", "rate_per_minute": 0},
        {"name": "X", "silent": "yes"},
    ],
)
def test_a_company_that_cannot_be_is_refused(shop: Shop, given: dict[str, object]) -> None:
    shop.sandbox.put_company(company("holder", "Holder", keys=[{"key": "same-key-0001"}]))
    with pytest.raises(SandboxError, match="400"):
        shop.sandbox.put_company({"company_id": "new", **given})


def test_a_company_set_anew_keeps_its_keys_when_none_are_given(shop: Shop) -> None:
    anew = company(shop.company_id, COMPANY, rate_per_minute=None)
    del anew["keys"]
    shop.sandbox.put_company(anew)
    assert shop.post("sales-invoices", invoice()).status == 201
