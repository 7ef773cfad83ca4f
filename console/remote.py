"""The ledger against AiAccount itself: each document that was ever sent is asked for, under its tenant's key.

One call after the other for each tenant, at half of the tenant's rate: the other half is for what is posted.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

import psycopg

from console.session import transaction
from console.stored_keys import opened
from consumers.client import AiAccountClient
from consumers.keyring import KeyRing
from consumers.outcomes import Outcome, Treatment, classify, found
from outbox import credentials
from outbox.credentials import StoredKey
from outbox.endpoints import Endpoint
from outbox.environment import Config
from outbox.errors import VaultError
from outbox.session import telling
from outbox.statements import statements

SECONDS = 15.0
TRIES = 3
MOST_WAIT = 120.0
_STOPS = (Treatment.STOP_TENANT, Treatment.STOP_ENDPOINT)
_SQL = statements("console", "comparison.sql")

Sent = tuple[int, Endpoint, int, str]
"""A document: tenant, endpoint, aggregate, number."""


class Kind(StrEnum):
    """How AiAccount and the ledger disagree about a document."""

    MISSING = "missing there"
    DIFFERS = "differs"
    LANDED = "in doubt, and it is there"
    LANDED_LATE = "landed late"


MEANINGS = {
    Kind.MISSING: "the ledger has it as accepted, and AiAccount has not",
    Kind.DIFFERS: "type, date, currency or total are not what was sent",
    Kind.LANDED: "it is sent again by itself, and then accepted",
    Kind.LANDED_LATE: "taken for refused, and it stands there: a person must look",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One document about which the two disagree."""

    tenant_id: int
    endpoint: Endpoint
    number: str
    kind: Kind
    detail: str


@dataclass
class Answers:
    """What AiAccount said: how many were asked for, what disagrees, and who could not be asked and why."""

    asked: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    not_asked: dict[int, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """What is needed to ask: the configuration, the key ring, how to wait, and who hears of each answer."""

    config: Config
    ring: KeyRing
    heard: Callable[[], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def ask(session: psycopg.Connection, caller: Caller, sent: Sequence[Sent]) -> Answers:
    """Ask AiAccount for each of these, the tenants side by side.

    Raises:
        UsageError: AiAccount's URL is not set.
        DatabaseError: PostgreSQL gave up.
    """
    answers = Answers()
    asyncio.run(_ask_all(session, caller, sent, answers))
    answers.disagreements.sort(key=lambda one: (one.tenant_id, one.endpoint, one.number))
    return answers


async def _ask_all(
    session: psycopg.Connection, caller: Caller, sent: Sequence[Sent], answers: Answers
) -> None:
    client = AiAccountClient(caller.config.require_api_url(), connections=16)
    by_tenant = groupby(sorted(sent), key=lambda one: one[0])
    try:
        async with asyncio.TaskGroup() as group:
            for tenant, theirs in [(tenant, list(theirs)) for tenant, theirs in by_tenant]:
                group.create_task(_Asking(session, caller, client, answers, tenant).run(theirs))
    finally:
        await client.aclose()


class _UnansweredError(Exception):
    """The rest of a tenant's documents cannot be asked for; the message says why."""


class _Asking:
    """Ask for one tenant's documents, one after the other."""

    def __init__(
        self,
        session: psycopg.Connection,
        caller: Caller,
        client: AiAccountClient,
        answers: Answers,
        tenant: int,
    ) -> None:
        self._session = session
        self._caller = caller
        self._client = client
        self._answers = answers
        self._tenant = tenant

    async def run(self, sent: Sequence[Sent]) -> None:
        """Ask for all of them, or note how many could not be asked for and why."""
        done = 0
        try:
            stored, name, pause = self._tenant_now()
            for one in sent:
                if await self._one(one, stored, name):
                    self._answers.asked += 1
                    await self._caller.sleep(pause)
                done += 1
                self._caller.heard()
        except (_UnansweredError, VaultError) as error:
            self._answers.not_asked[self._tenant] = (len(sent) - done, str(error))

    def _tenant_now(self) -> tuple[StoredKey, str, float]:
        with transaction(self._caller.config) as connection:
            stored = credentials.find(connection, self._tenant)
        if stored is None:
            raise _UnansweredError("it has no API key")
        with telling():
            name, rate = self._session.execute(_SQL["company"], {"tenant": self._tenant}).fetchall()[0]
        return stored, name, 0.0 if rate is None else 2 * 60.0 / rate

    async def _one(self, sent: Sent, stored: StoredKey, name: str) -> bool:
        """Ask for one, unless it is known to stand there as another; say whether a call was made."""
        tenant, endpoint, aggregate, number = sent
        asked = {"tenant": tenant, "endpoint": endpoint, "aggregate_id": aggregate, "number": number}
        with telling():
            row = self._session.execute(_SQL["document"], asked).fetchone()
        if row is None:
            return False
        text, accepted, in_doubt = row
        document = {**json.loads(text), "company_name": name}
        there = await self._answer(endpoint, document, stored)
        if (kind := _kind(there, accepted=accepted, in_doubt=in_doubt)) is not None:
            detail = there.reason if there and kind is Kind.DIFFERS else MEANINGS[kind]
            self._answers.disagreements.append(Disagreement(tenant, endpoint, number, kind, detail))
        return True

    async def _answer(
        self, endpoint: Endpoint, document: dict[str, object], stored: StoredKey
    ) -> Outcome | None:
        """Return what stands there, None for nothing; wait and ask again where AiAccount is busy."""
        contact = document.get("contact")
        identity = {
            "company": str(document["company_name"]),
            "number": str(document["number"]),
            "contact": str(contact.get("code") if isinstance(contact, dict) else ""),
        }
        outcome: Outcome | None = None
        for _ in range(TRIES):
            secret = opened(self._caller.config, self._caller.ring, stored)
            reply = await self._client.look_up(endpoint, secret, identity, SECONDS)
            try:
                return found(reply, document)
            except LookupError:
                outcome = classify(reply, document)
            if outcome.treatment in _STOPS:
                break
            await self._caller.sleep(min(outcome.wait or 1.0, MOST_WAIT))
        assert outcome is not None  # noqa: S101 - it was tried
        raise _UnansweredError(f"{outcome.code}, {outcome.reason}")


def _kind(there: Outcome | None, *, accepted: bool, in_doubt: bool) -> Kind | None:
    """Say how the ledger and AiAccount disagree, if they do."""
    if there is None:
        return Kind.MISSING if accepted else None
    if accepted:
        return Kind.DIFFERS if there.treatment is Treatment.CONFLICT else None
    return Kind.LANDED if in_doubt else Kind.LANDED_LATE
