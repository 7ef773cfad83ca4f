"""The yardstick of deliveries: the same bodies posted with nothing around, no Kafka and no ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import aiohttp
import httpx
import uvloop
from httpx_aiohttp import AiohttpTransport

CREATED = 201


class Layer(Enum):
    """Through what is posted."""

    TRANSPORT = "the transport called directly"
    CLIENT = "httpx's client on the same transport"


class Post(NamedTuple):
    """One document: where to, with which API key and idempotency key, its body, and what is to follow it."""

    url: str
    key: str
    idempotency_key: str
    body: bytes
    then: "Post | None" = None


@dataclass(frozen=True)
class Answers:
    """When each answer had come (monotonic), and the ms that each took, for first posts and those after them.

    What comes after another is counted from the other's begin on.
    """

    at: list[float]
    took: tuple[list[float], list[float]]


def post_all(posts: Sequence[Post], in_flight: int, layer: Layer) -> Answers:
    """Post everything, as many at once as `in_flight`."""
    return uvloop.run(_post(posts, in_flight, layer, None))


def post_at_rate(posts: Sequence[Post], rate: float) -> Answers:
    """Begin `rate` posts a second, however long each takes; what comes after one follows its answer."""
    return uvloop.run(_post(posts, len(posts), Layer.TRANSPORT, rate))


async def _post(posts: Sequence[Post], in_flight: int, layer: Layer, rate: float | None) -> Answers:
    answers = Answers([], ([], []))
    connector = aiohttp.TCPConnector(limit=min(in_flight, 256))
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    transport = AiohttpTransport(client=session)
    client = httpx.AsyncClient(transport=transport, timeout=60)
    send = _through_client(client) if layer is Layer.CLIENT else _through_transport(transport)
    waiting = iter(list(enumerate(posts)))
    begun = time.monotonic() + 0.1

    async def work() -> None:
        for place, post in waiting:
            if rate:
                await asyncio.sleep(max(0.0, begun + place / rate - time.monotonic()))
            asked, each, order = time.monotonic(), post, 0
            while True:
                status = await send(each)
                if status != CREATED:
                    raise RuntimeError(f"the sandbox answered {status}")
                answered = time.monotonic()
                answers.at.append(answered)
                answers.took[order].append(1000 * (answered - asked))
                if each.then is None:
                    break
                each, order = each.then, 1

    async with client, asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return answers


def _through_transport(transport: AiohttpTransport) -> Callable[[Post], Awaitable[int]]:
    async def send(post: Post) -> int:
        request = httpx.Request("POST", post.url, headers=_headers(post), content=post.body)
        response = await transport.handle_async_request(request)
        await response.aread()
        await response.aclose()
        return response.status_code

    return send


def _through_client(client: httpx.AsyncClient) -> Callable[[Post], Awaitable[int]]:
    async def send(post: Post) -> int:
        return (await client.post(post.url, headers=_headers(post), content=post.body)).status_code

    return send


def _headers(post: Post) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {post.key}",
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": post.idempotency_key,
    }
