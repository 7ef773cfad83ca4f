"""Run a sandbox: the one place where its parts are put together."""

import asyncio
import gc
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop
from aiohttp import web

from deploy.sandbox.admin import Admin, put_company
from deploy.sandbox.api import Api
from deploy.sandbox.sandbox import Sandbox, open_sandbox

_OPENAPI = Path(__file__).with_name("openapi.json")
_HOST = "127.0.0.1"
_BACKLOG = 1024
_LET_GO = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a sandbox runs.

    `port` 0 takes a free one. `config` is a JSON file, `{"companies": [...], "faults": [...]}`, each as the
    admin API takes it, a company with its `company_id`; companies that the book holds stay as they are.
    """

    book: Path
    port: int = 0
    config: Path | None = None
    rate_limit: bool = True
    latency_ms: float = 0.0
    payload_limit: int = 1_000_000


def build_app(sandbox: Sandbox) -> web.Application:
    """Return the server's application on an open sandbox; it closes the sandbox when it ends."""
    app = web.Application(client_max_size=sandbox.payload_limit)
    Admin(sandbox).add_to(app)
    app.router.add_get("/openapi.json", _openapi)
    app.router.add_route("*", "/{path:.*}", Api(sandbox).answer_call)

    async def stop(_: web.Application) -> None:
        sandbox.stopping.set()

    async def close(_: web.Application) -> None:
        sandbox.close()

    app.on_shutdown.append(stop)
    app.on_cleanup.append(close)
    return app


async def serve(options: Options, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `ready` is given the URL once calls are taken."""
    sandbox = open_sandbox(
        options.book,
        rate_limit=options.rate_limit,
        latency=options.latency_ms / 1000,
        payload_limit=options.payload_limit,
    )
    if options.config is not None:
        _configure(sandbox, options.config)
    gc.freeze()  # what was restored is not looked through again
    runner = web.AppRunner(build_app(sandbox), access_log=None, shutdown_timeout=_LET_GO)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, options.port, backlog=_BACKLOG).start()
        ready(f"http://{_HOST}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


def run(options: Options, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvloop.run(_serve_until_signal(options, ready))


async def _serve_until_signal(options: Options, ready: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await serve(options, stop, ready)


def _configure(sandbox: Sandbox, config: Path) -> None:
    given = json.loads(config.read_text(encoding="utf-8"))
    for company in given.get("companies", []):
        if sandbox.registry.get(company["company_id"]) is None:
            put_company(sandbox, company["company_id"], company, whole=True)
    for fault in given.get("faults", []):
        added = sandbox.faults.add(fault)
        sandbox.book.append("admin", {"what": "fault", "detail": added.as_json()})


async def _openapi(_: web.Request) -> web.Response:
    return web.Response(body=_OPENAPI.read_bytes(), content_type="application/json")
