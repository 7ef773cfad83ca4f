"""Nothing that is shown, logged, pickled or raised holds a key."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, astuple, dataclass, replace
from io import StringIO

import pytest

from consumers.keyring import KeyRing, new_master_key, parse_key_ring, read_key_ring
from consumers.redact import Redactor, redact
from consumers.vault import Secret, open_sealed, seal
from outbox.environment import read_config
from outbox.errors import UsageError, VaultError

PLACE = ("production", 7, "aiaccount", 1)
KEY = "sk-live-5rT9vQ2m"


@dataclass(frozen=True)
class Holder:
    """Something of ours that holds a secret."""

    secret: Secret


def test_a_secret_shows_nothing_however_it_is_shown() -> None:
    secret = Secret(KEY)
    holder = Holder(secret)
    shown = [
        repr(secret),
        str(secret),
        f"{secret} {secret!r} {secret:>40}",
        "%s %r" % (secret, secret),  # noqa: UP031 - the way that logging formats
        json.dumps(holder, default=str),
        json.dumps([secret], default=repr),
        repr(holder),
        repr(asdict(holder)),
        repr(astuple(holder)),
        repr(copy.copy(secret)),
        repr(copy.deepcopy([secret])),
        repr({name: getattr(secret, name, None) for name in dir(secret)}),
        repr(vars(holder)),
    ]
    assert [text for text in shown if KEY in text] == []
    assert secret.reveal() == KEY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_and_a_key_ring_are_never_pickled(protocol: int) -> None:
    ring = parse_key_ring(new_master_key("k1"), "the test")
    for thing in (Secret(KEY), Holder(Secret(KEY)), ring):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(thing, protocol)


def test_json_does_not_take_a_secret() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"key": Secret(KEY)})


def test_an_error_of_the_vault_carries_neither_key_nor_cause() -> None:
    line = new_master_key("k1")
    ring = parse_key_ring(line, "the test")
    sealed = seal(ring, *PLACE, KEY)
    for wrong in (replace(sealed, ciphertext=b"x" * 40), replace(sealed, key_id="k2")):
        with pytest.raises(VaultError) as caught:
            open_sealed(ring, *PLACE, wrong)
        said = "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None or caught.value.__suppress_context__
        assert KEY not in said
        assert line.partition(":")[2] not in said


def test_a_text_that_is_not_utf_8_is_refused_without_being_quoted() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - to forge a seal, only here

    from consumers import vault  # noqa: PLC0415

    ring = parse_key_ring(new_master_key("k1"), "the test")
    sealed = seal(ring, *PLACE, KEY)
    bound = vault._associated_data(*PLACE, "k1")  # noqa: SLF001
    forged = AESGCM(ring.key("k1")).encrypt(sealed.nonce, b"\xff" + KEY.encode(), bound)
    with pytest.raises(VaultError) as caught:
        open_sealed(ring, *PLACE, replace(sealed, ciphertext=forged))
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_a_key_ring_shows_ids_and_no_bytes() -> None:
    line = new_master_key("k1")
    ring = parse_key_ring(line, "the test")
    assert ring.key_ids == ("k1",)
    shown = repr(ring) + str(ring)
    assert "k1" in shown
    assert line.partition(":")[2] not in shown
    assert repr(ring.key("k1")) not in shown


def test_the_configuration_does_not_show_the_master_keys() -> None:
    config = read_config({"AIACCOUNT_SYNC_MASTER_KEYS": new_master_key("k1")})
    assert (config.master_keys or "").partition(":")[2] not in repr(config)


@pytest.mark.parametrize("text", ["k1:{}A", "k1:{}!", "{}", "k1:{0},k1:{0}", "*:{}", "k1:{0},:{0}"])
def test_a_wrong_entry_of_the_ring_is_counted_and_not_quoted(text: str) -> None:
    key = new_master_key("x").partition(":")[2]
    config = read_config({"AIACCOUNT_SYNC_MASTER_KEYS": text.format(key)})
    with pytest.raises(UsageError) as caught:
        read_key_ring(config)
    assert key[:-1] not in "".join(traceback.format_exception(caught.value))


@pytest.fixture
def log() -> tuple[logging.Logger, StringIO]:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redactor())
    logger = logging.Logger("test")  # noqa: LOG001 - not in the tree that pytest listens to
    logger.addHandler(handler)
    return logger, stream


def test_a_log_masks_what_looks_like_a_header(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    logger.info("headers %s", {"Authorization": f"Bearer {KEY}", "Accept": "*/*"})
    logger.info("authorization: %s", KEY)
    logger.info("api_key=%s and more", KEY)
    text = stream.getvalue()
    assert KEY not in text
    assert text.count("[secret]") == 3
    assert "*/*" in text
    assert "and more" in text


def test_a_log_masks_a_secret_that_is_open_and_no_other_word(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    secret = Secret("plain-looking-words")
    logger.warning("sent %s to the server", secret.reveal())
    assert stream.getvalue() == "sent [secret] to the server\n"
    del secret
    assert redact("plain-looking-words") == "plain-looking-words"


def test_a_logged_exception_and_its_causes_are_masked(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    secret = Secret(KEY)

    def fail() -> None:
        try:
            raise ValueError(f"a library quotes {secret.reveal()}")  # noqa: TRY301
        except ValueError as error:
            raise RuntimeError("the call failed") from error

    try:
        fail()
    except RuntimeError:
        logger.exception("delivery with %s", secret, stack_info=True)
    text = stream.getvalue()
    assert "ValueError: a library quotes [secret]" in text
    assert "Stack (most recent call last)" in text
    assert KEY not in text


def test_a_ring_is_not_read_into_a_log_by_accident(log: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = log
    line = new_master_key("k1")
    ring: KeyRing = parse_key_ring(line, "the test")
    logger.warning("%r %s", ring, ring)
    assert line.partition(":")[2] not in stream.getvalue()
