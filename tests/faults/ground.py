"""Make the ground of a fault test: an installed database with tenants, made once and cloned for each test.

Relay, consumers and console each connect as a login of their own, with the role that their work needs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from consumers.keyring import new_master_key
from deploy.sandbox.client import SandboxProcess
from deploy.stack import Installation, make_logins
from outbox.broker import create_topics
from tests.databases import cloned, create_ns16, template
from tests.faults.field import SETTINGS, Field
from tests.faults.groups import pass_over
from tests.faults.subscribers import Subscriber, open_companies, some_subscribers, subscribe

ENVIRONMENT = "faults"


@dataclass(frozen=True)
class Ground:
    """A server with a database to clone, and what opens the keys in it."""

    server: str
    template: str
    master_keys: str
    subscribers: tuple[Subscriber, ...]


@contextmanager
def prepared(server: str, folder: Path) -> Iterator[Ground]:
    """Install in a database of the server at this URL, with tenants' keys; it is dropped at the end."""
    subscribers, master_keys = some_subscribers(), new_master_key("k1")

    def install(url: str) -> None:
        create_ns16(url)
        with SandboxProcess(folder / "entering.jsonl") as sandbox:
            open_companies(sandbox, subscribers)
            installation = _installation(url, "127.0.0.1:1", sandbox.url, folder, master_keys)
            installation.run("migrate", "--no-topics")
            make_logins(url)
            subscribe(installation, subscribers)

    with template(server, install) as name:
        yield Ground(server, name, master_keys, subscribers)


@contextmanager
def field_on(
    ground: Ground,
    bootstrap: str,
    folder: Path,
    *options: str,
    address: Callable[[str], str] = lambda url: url,
) -> Iterator[Field]:
    """Give an installation of its own on this ground and this broker; only the sandbox runs.

    Args:
        ground: Where its database is cloned from.
        bootstrap: The broker.
        folder: Where the book and the logs go.
        options: Options of every command line, such as `--debug`.
        address: Makes of the database's URL the one by which the installation and the tills find it.
    """
    create_topics(bootstrap)
    pass_over(bootstrap)
    with ExitStack() as stack:
        url = address(stack.enter_context(cloned(ground.server, ground.template)))
        sandbox = stack.enter_context(SandboxProcess(folder / "book.jsonl", "--no-rate-limit"))
        open_companies(sandbox, ground.subscribers)
        installation = _installation(url, bootstrap, sandbox.url, folder, ground.master_keys, *options)
        field = Field(installation, url, sandbox, ground.subscribers)
        stack.callback(field.close)
        yield field


def _installation(
    url: str, bootstrap: str, api_url: str, folder: Path, master_keys: str, *options: str
) -> Installation:
    return Installation(
        url,
        bootstrap,
        api_url,
        folder,
        environment=ENVIRONMENT,
        settings={"AIACCOUNT_SYNC_MASTER_KEYS": master_keys, **SETTINGS},
        options=options,
        logins=True,
    )
