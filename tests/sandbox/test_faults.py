"""One test for each way in which the sandbox strays when it is told to."""

import http.client
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from deploy.sandbox.client import SandboxError, SandboxProcess
from tests.sandbox.documents import COMPANY, invoice
from tests.sandbox.shop import Answer, Shop
from tests.waiting import wait_for

SHORT = 0.3
LIMIT = 10.0


def push(shop: Shop, number: str = "S1", timeout: float = LIMIT) -> Answer:
    return shop.post("sales-invoices", invoice(number), timeout=timeout)


def last_reply(shop: Shop) -> dict[str, object]:
    return shop.events("reply")[-1]


def test_delay_answers_late_and_truly(shop: Shop) -> None:
    shop.fault("delay", seconds=SHORT)
    began = time.monotonic()
    assert push(shop).status == 201
    assert time.monotonic() - began >= SHORT
    assert last_reply(shop)["fault"] == "delay"


@pytest.mark.parametrize(
    ("behaviour", "stored"), [("timeout_before_storing", []), ("timeout_after_storing", ["S1"])]
)
def test_a_timeout_never_answers(shop: Shop, behaviour: str, stored: list[str]) -> None:
    shop.fault(behaviour)
    with pytest.raises(TimeoutError):
        push(shop, timeout=SHORT)
    assert shop.stored() == stored
    assert last_reply(shop)["status"] is None
    assert last_reply(shop)["fault"] == behaviour
    assert push(shop).status == (200 if stored else 201)


def test_a_call_that_is_not_answered_frees_its_place_once_the_client_goes(
    open_shop: Callable[..., Shop],
) -> None:
    shop = open_shop(concurrency=1)
    shop.fault("timeout_after_storing")
    with pytest.raises(TimeoutError):
        push(shop, timeout=SHORT)
    wait_for(lambda: push(shop, "S2").status == 201, LIMIT, "the place to be free")


def test_a_document_that_lands_late_stands_in_the_books_later(shop: Shop) -> None:
    shop.fault("lands_late", seconds=1.0)
    with pytest.raises(TimeoutError):
        push(shop, timeout=SHORT)
    assert shop.look_up("S1").status == 404
    wait_for(lambda: shop.look_up("S1").status == 200, LIMIT, "the document to land")
    [request, *_] = shop.events("request")
    [stored] = shop.events("stored")
    assert stored["request_id"] == request["request_id"]
    assert push(shop).status == 200


def test_what_lands_late_lands_once_though_it_was_pushed_again_meanwhile(shop: Shop) -> None:
    shop.fault("lands_late", seconds=1.0)
    shop.fault("lands_late", seconds=1.0)
    for number in ("S1", "S2"):
        with pytest.raises(TimeoutError):
            push(shop, number, timeout=0.1)
    assert push(shop).status == 201
    wait_for(lambda: "S2" in shop.stored(), LIMIT, "the later one to land")
    assert sorted(shop.stored()) == ["S1", "S2"]


@pytest.mark.parametrize(
    ("behaviour", "stored"), [("reset_before_storing", []), ("reset_after_storing", ["S1"])]
)
def test_a_reset_breaks_the_connection(shop: Shop, behaviour: str, stored: list[str]) -> None:
    shop.fault(behaviour)
    with pytest.raises(ConnectionResetError) as broken:
        push(shop)
    assert broken.type is ConnectionResetError, "an orderly close is no reset"
    assert shop.stored() == stored
    assert last_reply(shop)["status"] is None


def test_half_a_reply_is_shorter_than_it_says(shop: Shop) -> None:
    shop.fault("half_reply")
    with pytest.raises(http.client.IncompleteRead) as broken:
        push(shop)
    assert broken.value.partial.startswith(b'{"status": "created"')
    assert shop.stored() == ["S1"]
    assert last_reply(shop)["status"] is None


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [(500, None, "SERVER_ERROR"), (503, None, "SERVER_ERROR"), (403, "SUBSCRIPTION_INACTIVE", None)],
)
def test_any_status_can_be_played(shop: Shop, status: int, code: str | None, told: str | None) -> None:
    shop.fault("status", status=status, **({} if code is None else {"code": code}))
    answer = push(shop)
    assert (answer.status, answer.code) == (status, told or code)
    assert shop.stored() == []
    assert last_reply(shop)["status"] == status


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [({}, 500, "TAX_CODE_MISSING"), ({"status": 400, "code": "ACCOUNT_MISSING"}, 400, "ACCOUNT_MISSING")],
)
def test_a_422_code_can_come_with_another_status(
    shop: Shop, given: dict[str, object], status: int, code: str
) -> None:
    shop.fault("status_with_422_code", **given)
    answer = push(shop)
    assert (answer.status, answer.code) == (status, code)
    assert shop.stored() == []


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_400_can_be_nothing_but_text(shop: Shop, form: str) -> None:
    shop.fault("text_400", form=form)
    answer = push(shop)
    assert answer.status == 400
    text = answer.raw.decode() if form == "plain" else answer.body["message"]
    assert text == "Tax Code 'MY-SALES10' not found"


def test_retry_after_comes_in_every_form(shop: Shop) -> None:
    told = {}
    for form in ("seconds", "date", "absent", "absurd"):
        shop.fault("rate_limited", form=form, retry_after=7)
        answer = push(shop)
        assert (answer.status, answer.code) == (429, "RATE_LIMITED")
        told[form] = answer.headers.get("Retry-After")
    assert told["seconds"] == "7"
    assert told["absent"] is None
    assert told["absurd"] == "-99999999999999999999"
    wait = parsedate_to_datetime(told["date"] or "") - datetime.now(UTC)
    assert 5 < wait.total_seconds() <= 8


def test_a_body_can_drip_byte_by_byte(shop: Shop) -> None:
    shop.fault("drip", seconds=0.002)
    began = time.monotonic()
    answer = push(shop)
    assert answer.body["status"] == "created"
    assert time.monotonic() - began > 0.002 * len(answer.raw)


def test_headers_can_come_slowly(shop: Shop) -> None:
    shop.fault("slow_headers", seconds=0.05)
    began = time.monotonic()
    assert push(shop).body["status"] == "created"
    assert time.monotonic() - began > 0.05 * 6


def test_a_body_can_be_huge(shop: Shop) -> None:
    shop.fault("huge_body")
    answer = push(shop)
    assert answer.status == 201
    assert len(answer.raw) > 1_000_000
    assert shop.stored() == ["S1"]


def test_a_page_can_come_instead_of_an_answer(shop: Shop) -> None:
    shop.fault("html")
    answer = push(shop)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert shop.stored() == []


@pytest.mark.parametrize(("stores", "status"), [(True, 201), (False, 200)])
def test_an_answer_can_be_empty(shop: Shop, stores: bool, status: int) -> None:  # noqa: FBT001 -- a case
    shop.fault("empty", stores=stores)
    answer = push(shop)
    assert (answer.status, answer.raw) == (status, b"")
    assert bool(shop.stored()) is stores


@pytest.mark.parametrize("stores", [True, False])
def test_an_answer_can_be_broken_json(shop: Shop, stores: bool) -> None:  # noqa: FBT001 -- a case
    shop.fault("invalid_json", stores=stores)
    answer = push(shop)
    assert answer.status in (200, 201)
    with pytest.raises(ValueError, match=r"delimiter|Unterminated"):
        _ = answer.body
    assert bool(shop.stored()) is stores


def test_an_answer_can_lack_the_documents_id(shop: Shop) -> None:
    shop.fault("no_document_id")
    answer = push(shop)
    assert answer.status == 201
    assert "id" not in answer.body["document"]
    assert answer.body["document"]["number"] == "S1"
    assert shop.stored() == ["S1"]


def test_an_answer_can_name_another_company(shop: Shop) -> None:
    shop.fault("wrong_company", times=2, company_name="Other Sdn Bhd")
    assert push(shop).body["company_name"] == "Other Sdn Bhd"
    assert shop.get("company").body["name"] == "Other Sdn Bhd"
    assert shop.get("company").body["name"] == COMPANY


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_points_elsewhere(shop: Shop, status: int) -> None:
    shop.fault("redirect", status=status, location="http://127.0.0.1:9/x")
    answer = push(shop)
    assert (answer.status, answer.headers["Location"]) == (status, "http://127.0.0.1:9/x")
    assert shop.stored() == []


def test_a_document_can_be_stored_and_the_answer_be_500(shop: Shop) -> None:
    shop.fault("created_then_500")
    assert push(shop).status == 500
    assert shop.stored() == ["S1"]


def test_a_request_can_be_said_to_be_in_progress(shop: Shop) -> None:
    shop.fault("in_progress")
    answer = push(shop)
    assert (answer.status, answer.code) == (409, "REQUEST_IN_PROGRESS")
    assert shop.stored() == []


def test_a_duplicate_can_be_silent(shop: Shop) -> None:
    push(shop)
    shop.fault("silent_duplicate")
    answer = shop.post("sales-invoices", invoice(memo="other"))
    assert (answer.status, answer.body["content_match"]) == (200, None)
    assert shop.post("sales-invoices", invoice(memo="other")).status == 409


def test_the_same_request_twice_at_once_is_in_progress(shop: Shop) -> None:
    shop.fault("delay", seconds=2.0)
    first: list[Answer] = []
    thread = Thread(target=lambda: first.append(push(shop)))
    thread.start()
    wait_for(lambda: len(shop.events("request")) == 1, LIMIT, "the first to be under way")
    same_number = push(shop)
    same_key = shop.post("sales-invoices", invoice("S2"), {"Idempotency-Key": "sales-invoices/S1"})
    neither = push(shop, "S3")
    thread.join()
    assert (same_number.status, same_number.code) == (409, "REQUEST_IN_PROGRESS")
    assert (same_key.status, same_key.code) == (409, "REQUEST_IN_PROGRESS")
    assert neither.status == 201
    assert first[0].status == 201
    assert push(shop).status == 200


def test_a_fault_is_played_only_where_and_as_often_as_it_says(shop: Shop) -> None:
    shop.sandbox.add_fault(
        "status",
        match={"company_id": shop.company_id, "endpoint": "pos_invoice", "number": "S1", "method": "POST"},
        times=2,
        status=503,
    )
    assert push(shop, "S2").status == 201
    assert shop.look_up("S1").status == 404
    assert [push(shop).status for _ in range(3)] == [503, 503, 201]


def test_a_fault_can_be_seen_and_taken_away(shop: Shop) -> None:
    fault_id = shop.fault("status", times=None, status=503)
    assert [push(shop).status for _ in range(2)] == [503, 503]
    shop.sandbox.clear_faults(fault_id)
    assert push(shop).status == 201
    with pytest.raises(SandboxError, match="404"):
        shop.sandbox.clear_faults(fault_id)


@pytest.mark.parametrize("given", [{"behaviour": "sulk"}, {"behaviour": "delay", "seconds": "long"}])
def test_a_fault_that_cannot_be_played_is_refused(shop: Shop, given: dict[str, str]) -> None:
    with pytest.raises(SandboxError, match="400"):
        shop.sandbox.add_fault(**given)


def test_latency_holds_every_call(shop: Shop) -> None:
    shop.sandbox.set_latency(SHORT * 1000)
    try:
        began = time.monotonic()
        assert push(shop).status == 201
        assert time.monotonic() - began >= SHORT
    finally:
        shop.sandbox.set_latency(0)


def test_a_client_that_leaves_in_the_middle_of_its_request_leaves_no_trace(
    own_book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with SandboxProcess(own_book) as sandbox:
        shop = Shop(sandbox, "left")
        host, port = urlsplit(sandbox.url).netloc.split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /api/v1/sales-invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.key}\r\n"
            connection.sendall(head.encode() + b"Content-Length: 500\r\n\r\n{")
        assert push(shop).status == 201
        assert len(shop.events("request")) == 1
    assert capfd.readouterr().err == ""
