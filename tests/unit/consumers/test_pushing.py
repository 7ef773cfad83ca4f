"""Quick retries of one push: how often, for how long, with what, and what stays in doubt."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from consumers.client import Call
from consumers.outcomes import Treatment
from consumers.pushing import ALL_SECONDS, ATTEMPT_SECONDS, ATTEMPTS, Push, Pushed, Pusher
from consumers.reply import Broken, Reply
from consumers.secret import Secret
from mappers import canonical
from outbox.endpoints import Endpoint
from outbox.errors import VaultError

NAME = "Mei Live Sdn Bhd"
DOCUMENT = {
    "company_name": NAME,
    "number": "N1",
    "date": "2026-05-01",
    "currency": "MYR",
    "contact": {"code": "POS-WALKIN", "name": "小明"},
    "totals": {"total": "99.00"},
}
BROKEN = Broken("TIMEOUT", "no answer")


def answer(status: int, body: Any = None) -> Reply:
    return Reply(status, {}, json.dumps(body or {}).encode())


def refusal(status: int, code: str) -> Reply:
    return answer(status, {"error": {"code": code, "message": code}})


CREATED = answer(201, {"document": {"id": "D1"}})
BUSY = refusal(409, "REQUEST_IN_PROGRESS")
MISSING = refusal(422, "TAX_CODE_MISSING")
STRAY = refusal(500, "TAX_CODE_MISSING")


class AiAccount:
    """A client that gives one reply after the other; each call takes `takes` seconds of the clock."""

    def __init__(self, *replies: Reply | Broken, takes: float = 0.0) -> None:
        self.now = 100.0
        self.replies = list(replies)
        self.takes = takes
        self.calls: list[tuple[float, Call, float]] = []
        self.looks: list[tuple[Endpoint, Mapping[str, str], float]] = []
        self.slept: list[float] = []
        self.opened = 0
        self.pusher = Pusher(self, lambda: self.now, Random(11), sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    async def post(self, call: Call, seconds: float) -> Reply | Broken:
        """Answer, or break at the deadline."""
        self.calls.append((self.now, call, seconds))
        self.now += min(self.takes, seconds)
        return self.replies.pop(0)

    async def look_up(
        self, endpoint: Endpoint, secret: Secret, identity: Mapping[str, str], seconds: float
    ) -> Reply | Broken:
        """Answer."""
        assert secret.reveal() == "the key"
        self.looks.append((endpoint, identity, seconds))
        return self.replies.pop(0)

    def open(self) -> Secret:
        """Open the key."""
        self.opened += 1
        return Secret("the key")

    async def push(
        self, ends: float = 1e9, open_key: Callable[[], Secret] | None = None, **changes: Any
    ) -> Pushed:
        """Push the document, of which some may be changed."""
        push = make(ends, **changes)
        return await self.pusher.push(push, open_key or self.open)


def make(ends: float = 1e9, **changes: Any) -> Push:
    given = {"endpoint": Endpoint.POS_INVOICE, "company_id": "C1", "document": DOCUMENT, **changes}
    return Push(given["endpoint"], given["company_id"], given["document"], ends)


async def test_a_push_that_is_accepted_is_one_call() -> None:
    server = AiAccount(CREATED)
    told = await server.push()
    assert told.outcome is not None
    assert (told.outcome.treatment, told.outcome.remote_id) == (Treatment.ACCEPTED, "D1")
    assert told.doubt_at is None
    (at, call, seconds) = server.calls[0]
    assert (at, seconds, call.body) == (100.0, ATTEMPT_SECONDS, canonical(DOCUMENT))
    assert len(server.calls) == 1


@pytest.mark.parametrize("failure", [BROKEN, answer(500), BUSY, STRAY, answer(200), answer(302)])
@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_a_quick_failure_is_tried_three_times_at_most(failure: Reply | Broken, failures: int) -> None:
    server = AiAccount(*[failure] * failures, CREATED)
    told = await server.push()
    assert len(server.calls) == min(failures + 1, ATTEMPTS)
    assert told.outcome is not None
    assert (told.outcome.treatment is Treatment.ACCEPTED) == (failures < ATTEMPTS)


@pytest.mark.parametrize(
    ("reply", "treatment"),
    [
        (MISSING, Treatment.BLOCK),
        (refusal(422, "INVOICE_NOT_FOUND"), Treatment.RETRY),
        (refusal(422, "VALIDATION_FAILED"), Treatment.PARK),
        (refusal(409, "DOCUMENT_CONFLICT"), Treatment.CONFLICT),
        (refusal(401, "API_KEY_INVALID"), Treatment.STOP_TENANT),
        (refusal(403, "SCOPE_MISSING"), Treatment.STOP_ENDPOINT),
        (refusal(429, "RATE_LIMITED"), Treatment.LIMITED),
    ],
)
async def test_an_answer_that_will_be_the_same_is_not_asked_for_again(
    reply: Reply, treatment: Treatment
) -> None:
    server = AiAccount(reply)
    told = await server.push()
    assert told.outcome is not None
    assert told.outcome.treatment is treatment
    assert told.doubt_at is None
    assert len(server.calls) == 1


async def test_every_attempt_at_one_content_has_the_same_body_and_key_and_a_request_id_of_its_own() -> None:
    server = AiAccount(BROKEN, BROKEN, BROKEN)
    await server.push()
    calls = [call for _, call, _ in server.calls]
    assert len({call.body for call in calls}) == len({call.idempotency_key for call in calls}) == 1
    assert len({call.request_id for call in calls}) == 3
    assert server.opened == 3, "the key is opened for the moment of each call"


async def key_of(**changes: Any) -> str:
    server = AiAccount(CREATED)
    await server.push(**changes)
    return server.calls[0][1].idempotency_key


async def test_the_idempotency_key_is_that_of_the_content_the_company_and_the_endpoint() -> None:
    keys = [
        await key_of(),
        await key_of(company_id="C2"),
        await key_of(endpoint=Endpoint.POS_RECEIPT),
        await key_of(document={**DOCUMENT, "date": "2026-05-02"}),
        await key_of(document={**DOCUMENT, "number": "N2"}),
    ]
    assert len(set(keys)) == 5
    assert all(len(key) <= 128 and key.isascii() for key in keys)
    assert await key_of(document=json.loads(json.dumps(DOCUMENT))) == keys[0], "as it comes from the ledger"
    expected = hashlib.sha256(b"C1\npos_invoice\n" + canonical(DOCUMENT)).hexdigest()
    assert keys[0] == expected, "a key that changes with a release would double what is in doubt"


async def test_all_attempts_together_take_30_seconds_at_most() -> None:
    server = AiAccount(BROKEN, BROKEN, BROKEN, takes=1000.0)
    await server.push()
    assert server.now <= 100.0 + ALL_SECONDS + 1e-6
    assert all(began + seconds <= 100.0 + ALL_SECONDS + 1e-6 for began, _, seconds in server.calls)
    assert [seconds <= ATTEMPT_SECONDS for _, _, seconds in server.calls] == [True] * len(server.calls)


@pytest.mark.parametrize("ends", [99.0, 100.0])
async def test_no_call_begins_when_the_claim_has_ended(ends: float) -> None:
    server = AiAccount(CREATED)
    assert await server.push(ends) == Pushed(None, None)
    assert (server.calls, server.opened) == ([], 0)


@pytest.mark.parametrize("takes", [0.5, 4.0, 9.9, 10.0, 14.0])
@pytest.mark.parametrize("failure", [BROKEN, BUSY])
async def test_no_retry_begins_after_the_claims_end(failure: Reply | Broken, takes: float) -> None:
    server = AiAccount(*[failure] * 3, takes=takes)
    told = await server.push(110.0)
    assert all(began < 110.0 for began, _, _ in server.calls)
    assert told.outcome is not None
    assert told.doubt_at == server.calls[-1][0]
    if takes >= 10:
        assert len(server.calls) == 1
        assert server.slept == [], "nobody waits for a try that cannot be"


async def test_a_request_in_progress_is_asked_again_after_two_seconds() -> None:
    server = AiAccount(BUSY, BUSY, CREATED)
    await server.push()
    assert server.slept == [2.0, 2.0]


async def test_the_waits_are_full_jitter_of_a_growing_bound() -> None:
    waits: list[list[float]] = [[], []]
    server = AiAccount()
    for _ in range(200):
        server.replies, server.slept = [BROKEN] * 3, []
        server.now += 60  # so that no outage is seen in it
        await server.push()
        for nth, wait in enumerate(server.slept):
            waits[nth].append(wait)
    for some, bound in zip(waits, (0.2, 0.4), strict=True):
        assert 0 <= min(some) < bound * 0.1
        assert bound * 0.9 < max(some) <= bound


@pytest.mark.parametrize(
    ("replies", "doubtful"),
    [
        ([BROKEN, BROKEN, BROKEN], 2),
        ([BROKEN, MISSING], 0),
        ([BROKEN, BROKEN, MISSING], 1),
        ([BUSY, BROKEN, MISSING], 1),
        ([BROKEN, BUSY, refusal(429, "RATE_LIMITED")], 1),
        ([STRAY, STRAY, STRAY], 2),
        ([STRAY, MISSING], 0),
        ([BROKEN, refusal(401, "API_KEY_INVALID")], 0),
        ([answer(201, {"company_name": "Another", "document": {"id": "1"}})], 0),
    ],
)
async def test_the_doubt_is_of_the_last_attempt_whose_outcome_is_unknown(
    replies: Iterable[Reply | Broken], doubtful: int
) -> None:
    server = AiAccount(*replies, takes=1.0)
    told = await server.push()
    assert told.doubt_at == server.calls[doubtful][0]
    assert server.replies == []


async def test_a_stray_5xx_is_a_refusal_after_three_tries() -> None:
    told = await AiAccount(STRAY, STRAY, STRAY).push()
    assert told.outcome is not None
    assert (told.outcome.treatment, told.outcome.code) == (Treatment.BLOCK, "TAX_CODE_MISSING")
    assert (told.outcome.stray, told.outcome.certain) == (False, False)


@pytest.mark.parametrize("takes", [20.0, 6.0])
async def test_a_stray_5xx_that_was_not_tried_three_times_is_of_unknown_outcome(takes: float) -> None:
    server = AiAccount(STRAY, STRAY, STRAY, takes=takes)
    told = await server.push(107.0)
    assert len(server.calls) < 3
    assert told.outcome is not None
    assert (told.outcome.treatment, told.outcome.stray) == (Treatment.UNKNOWN, False)


async def test_a_key_that_cannot_be_opened_is_told_before_any_call() -> None:
    def closed() -> Secret:
        raise VaultError("no such key")

    server = AiAccount()
    with pytest.raises(VaultError):
        await server.push(open_key=closed)
    assert server.calls == []


async def test_a_key_that_cannot_be_opened_again_leaves_the_first_attempts_doubt() -> None:
    server = AiAccount(BROKEN)

    def once() -> Secret:
        if server.opened:
            raise VaultError("the ring is gone")
        return server.open()

    told = await server.push(open_key=once)
    assert told.outcome is not None
    assert (told.outcome.treatment, told.doubt_at) == (Treatment.UNKNOWN, 100.0)


async def test_a_look_up_asks_for_the_documents_identity() -> None:
    stored = {"id": "D1", "number": "N1", "total": "99.00"}
    server = AiAccount(answer(200, {"document": stored}))
    told = await server.pusher.confirm(make(), server.open)
    assert told is not None
    assert told.treatment is Treatment.ACCEPTED
    identity = {"company": NAME, "number": "N1", "contact": "POS-WALKIN"}
    assert server.looks == [(Endpoint.POS_INVOICE, identity, ATTEMPT_SECONDS)]


async def test_a_look_up_that_finds_nothing_gives_nothing() -> None:
    server = AiAccount(refusal(404, "DOCUMENT_NOT_FOUND"))
    assert await server.pusher.confirm(make(), server.open) is None


@pytest.mark.parametrize("reply", [BROKEN, answer(500), answer(404), answer(200)])
async def test_a_look_up_without_an_answer_says_so(reply: Reply | Broken) -> None:
    server = AiAccount(reply)
    with pytest.raises(LookupError):
        await server.pusher.confirm(make(), server.open)


async def test_no_look_up_begins_when_the_claim_has_ended() -> None:
    server = AiAccount()
    with pytest.raises(LookupError, match="claim"):
        await server.pusher.confirm(make(100.0), server.open)
    assert (server.looks, server.opened) == ([], 0)


async def test_the_bound_of_the_waits_grows_within_one_push() -> None:
    server = AiAccount(BROKEN, BROKEN, BROKEN)
    await server.push()
    began = [at for at, _, _ in server.calls]
    assert [later - earlier for earlier, later in pairwise(began)] == pytest.approx(server.slept)
