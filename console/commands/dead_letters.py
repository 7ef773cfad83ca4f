"""`aiaccount-sync dead-letters`: messages that could not be read, and sending them again."""

import string
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

import typer

from console.audited import on_record
from console.exits import PLAIN_MEANINGS
from console.printing import AsJson, epilog, print_columns, print_json, say
from console.session import session_of, transaction
from outbox import audit
from outbox.broker import DeadLetter, Producer, dead_letters
from outbox.broker import replay as send_again
from outbox.environment import Config
from outbox.errors import UsageError

_ACTION = "dead-letters replay"
_FIRST = 24
_ROW = 16
_VISIBLE = frozenset(string.printable) - frozenset(string.whitespace) | {" "}

Letter = Annotated[str, typer.Argument(help="As `dead-letters list` names it, such as 0-17.", metavar="ID")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Messages that could not be read.")
    group.command("list", epilog=_LISTING)(listing)
    group.command("show", epilog=_SHOWING)(show)
    group.command("replay", epilog=_REPLAYING)(replay)
    app.add_typer(group, name="dead-letters")


_LISTING = epilog(("aiaccount-sync dead-letters list",), PLAIN_MEANINGS)


def listing(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the dead letters: when, from where, and why.

    A message that cannot be read holds up nobody: it is kept here as it was. What it was about is found by
    comparing, too, so nothing is lost by leaving it.
    """
    config = session_of(context).config
    found = dead_letters(config.bootstrap_servers)
    done = _replayed(config)
    if as_json:
        print_json([{**_plain(one), "replayed": _mark(one) in done} for one in found])
        return
    for one in found:
        again = "  replayed" if _mark(one) in done else ""
        say(f"{one.letter_id}  {one.at:%Y-%m-%d %H:%M:%S}  {_origin(one)}{again}")
        say(f"    {one.reason}")
        say(f"    {_visible(one.value[:_FIRST]) or '(empty)'}")
    say(f"{len(found)} dead letters." if found else "There are no dead letters.")


_SHOWING = epilog(("aiaccount-sync dead-letters show 0-17",), PLAIN_MEANINGS)


def show(context: typer.Context, letter_id: Letter, *, as_json: AsJson = False) -> None:
    """Show one dead letter whole.

    Its headers, and its bytes in hexadecimal and as text.
    """
    letter = _found(dead_letters(session_of(context).config.bootstrap_servers), letter_id)
    if as_json:
        print_json(_plain(letter))
        return
    say(f"{letter.letter_id}  {letter.at:%Y-%m-%d %H:%M:%S}  {_origin(letter)}")
    say(letter.reason)
    say(f"key: {_visible(letter.key) or '(empty)'}")
    print_columns(("header", "value"), [(name, _visible(value)) for name, value in letter.headers])
    for at in range(0, len(letter.value), _ROW):
        row = letter.value[at : at + _ROW]
        say(f"{at:08x}  {row.hex(' '):<{_ROW * 3 - 1}}  {_visible(row)}")
    say(f"{len(letter.value)} bytes{' (too large: left out)' if letter.left_out else ''}")


_REPLAYING = epilog(
    ("aiaccount-sync dead-letters replay 0-17", "aiaccount-sync dead-letters replay --all"),
    PLAIN_MEANINGS,
)


def replay(
    context: typer.Context,
    letter_id: Annotated[
        str | None, typer.Argument(help="As `dead-letters list` names it.", metavar="ID")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that were not sent again before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to where they came from.

    Their bytes stay as they were: for messages that an older program could not read, after an upgrade. Each
    is sent again once: what cannot be read still comes back as another dead letter, which is not sent again
    either.
    """
    if (letter_id is None) is not everything:
        raise UsageError("give the ID of a dead letter, or --all")
    config = session_of(context).config
    found = dead_letters(config.bootstrap_servers)
    chosen = found if letter_id is None else [_found(found, letter_id)]
    done = _replayed(config)
    wanted = [one for one in chosen if _mark(one) not in done and one.before is None]
    if everything:
        wanted = [one for one in wanted if one.topic is not None and not one.left_out]
    sent = _sent_again(config, wanted)
    if as_json:
        print_json({"replayed": sent})
        return
    before = len(chosen) - len(wanted)
    say(f"Sent {len(sent)} again.{f' {before} were sent before or cannot go back.' if before else ''}")


def _sent_again(config: Config, letters: Sequence[DeadLetter]) -> list[str]:
    """Send each and write it down; cut off between the two, one may go twice, which is harmless."""
    if not letters:
        return []
    with Producer(config.bootstrap_servers, "aiaccount-sync-replay") as producer:
        for one in letters:
            with on_record(config, _ACTION, subject=_mark(one)) as deed:
                send_again(producer, one)
                detail = {"topic": one.topic, "reason": one.reason}
                with transaction(config) as connection:
                    audit.write(connection, replace(deed, detail=detail))
    return [one.letter_id for one in letters]


def _replayed(config: Config) -> set[str]:
    """Return the marks of those that were sent again."""
    with transaction(config) as connection:
        return audit.subjects(connection, _ACTION)


def _mark(letter: DeadLetter) -> str:
    """Name a dead letter for good: a topic that is made anew counts its offsets anew."""
    return f"{letter.letter_id}@{letter.at:%Y-%m-%dT%H:%M:%S.%fZ}"


def _found(letters: Sequence[DeadLetter], letter_id: str) -> DeadLetter:
    for one in letters:
        if one.letter_id == letter_id:
            return one
    raise UsageError(f"there is no dead letter {letter_id}; `dead-letters list` names those that there are")


def _origin(letter: DeadLetter) -> str:
    return f"{letter.topic or 'from nowhere'} {letter.partition}-{letter.offset}"


def _visible(value: bytes) -> str:
    return "".join(one if one in _VISIBLE else "." for one in value.decode("latin-1"))


def _plain(letter: DeadLetter) -> dict[str, object]:
    headers = {name: _visible(value) for name, value in letter.headers}
    return {**asdict(letter), "key": letter.key.hex(), "value": letter.value.hex(), "headers": headers}
