"""A sealed key opens where it was sealed for, and nowhere else."""

from dataclasses import replace
from itertools import product

import pytest

from consumers.keyring import KeyRing, new_master_key, parse_key_ring
from consumers.vault import Sealed, open_sealed, rotate, seal
from outbox.errors import VaultError

PLACE = ("production", 7, "aiaccount", 1)
KEY = "sk-live-5rT9vQ2m"


@pytest.fixture
def ring() -> KeyRing:
    return parse_key_ring(new_master_key("k1"), "the test")


def refused(ring: KeyRing, place: tuple[str, int, str, int], sealed: Sealed) -> bool:
    """Say whether it does not open there."""
    try:
        open_sealed(ring, *place, sealed)
    except VaultError:
        return True
    return False


def flips(data: bytes) -> list[bytes]:
    """Return `data` with each single bit turned over, one at a time."""
    return [
        bytes(byte ^ (1 << bit if at == where else 0) for at, byte in enumerate(data))
        for where in range(len(data))
        for bit in range(8)
    ]


def text_flips(text: str) -> list[str]:
    """Return the texts that differ from `text` in one bit of one character."""
    return [flipped.decode("latin-1") for flipped in flips(text.encode("latin-1"))]


def test_a_sealed_key_opens_in_its_own_place(ring: KeyRing) -> None:
    for text in (KEY, "x", "钥匙", "k" * 10_000):
        assert open_sealed(ring, *PLACE, seal(ring, *PLACE, text)).reveal() == text


def test_sealed_keys_of_100_tenants_swapped_among_them_are_refused_9900_times(ring: KeyRing) -> None:
    tenants = range(1, 101)
    sealed = {tenant: seal(ring, "production", tenant, "aiaccount", 1, f"key-{tenant}") for tenant in tenants}
    outcomes = {
        (row, owner): refused(ring, ("production", row, "aiaccount", 1), sealed[owner])
        for row, owner in product(tenants, tenants)
    }
    assert sum(outcomes.values()) == 9_900
    assert all(wrong == (row != owner) for (row, owner), wrong in outcomes.items())


def test_every_single_flipped_bit_is_refused(ring: KeyRing) -> None:
    sealed = seal(ring, *PLACE, KEY)
    environment, tenant, purpose, version = PLACE
    assert not refused(ring, PLACE, sealed)
    assert all(refused(ring, PLACE, replace(sealed, nonce=nonce)) for nonce in flips(sealed.nonce))
    assert all(refused(ring, PLACE, replace(sealed, ciphertext=text)) for text in flips(sealed.ciphertext))
    assert all(refused(ring, PLACE, replace(sealed, key_id=key_id)) for key_id in text_flips(sealed.key_id))
    assert all(refused(ring, (name, tenant, purpose, version), sealed) for name in text_flips(environment))
    assert all(refused(ring, (environment, tenant, name, version), sealed) for name in text_flips(purpose))
    for bit in range(63):
        assert refused(ring, (environment, tenant ^ 1 << bit, purpose, version), sealed)
        assert refused(ring, (environment, tenant, purpose, version ^ 1 << bit), sealed)


def test_a_flipped_bit_of_the_key_id_is_refused_even_where_it_names_the_same_master_key() -> None:
    first, second = new_master_key("k1"), "k3:"
    ring = parse_key_ring(f"{first}\n{second}{first.partition(':')[2]}", "the test")
    sealed = seal(ring, *PLACE, KEY)
    assert refused(ring, PLACE, replace(sealed, key_id="k3"))


def test_fields_that_run_together_alike_are_still_different_places(ring: KeyRing) -> None:
    alike = [
        ("ab", 1, "c", 11),
        ("a", 1, "bc", 11),
        ("ab", 11, "c", 1),
        ("ab1", 1, "c", 1),
        ("ab", 1, "c1", 1),
    ]
    sealed = [seal(ring, *place, KEY) for place in alike]
    wrong = [refused(ring, here, there) for here in alike for there in sealed]
    assert sum(wrong) == len(alike) * (len(alike) - 1)


@pytest.mark.parametrize("cut", [0, 1, 15, 16])
def test_a_ciphertext_or_nonce_cut_short_is_refused(ring: KeyRing, cut: int) -> None:
    sealed = seal(ring, *PLACE, KEY)
    assert refused(ring, PLACE, replace(sealed, ciphertext=sealed.ciphertext[:cut]))
    assert refused(ring, PLACE, replace(sealed, nonce=sealed.nonce[:cut][:11]))


def test_nonces_never_repeat_in_100_000_seals(ring: KeyRing) -> None:
    seen = {seal(ring, *PLACE, KEY).nonce for _ in range(100_000)}
    assert len(seen) == 100_000
    assert {len(nonce) for nonce in seen} == {12}


def test_another_master_key_under_the_same_id_opens_nothing(ring: KeyRing) -> None:
    sealed = seal(ring, *PLACE, KEY)
    assert refused(parse_key_ring(new_master_key("k1"), "the test"), PLACE, sealed)


def test_rotating_seals_under_the_first_key_and_the_next_version() -> None:
    old, new = new_master_key("2025"), new_master_key("2026")
    sealed = seal(parse_key_ring(old, "the test"), *PLACE, KEY)
    both = parse_key_ring(f"{new},{old}", "the test")
    again = rotate(both, *PLACE, sealed)
    environment, tenant, purpose, version = PLACE
    next_place = (environment, tenant, purpose, version + 1)
    assert again.key_id == "2026"
    assert open_sealed(parse_key_ring(new, "the test"), *next_place, again).reveal() == KEY
    assert refused(both, PLACE, again)


def test_an_empty_key_is_not_sealed(ring: KeyRing) -> None:
    with pytest.raises(VaultError, match=r"tenant 7.*is empty"):
        seal(ring, *PLACE, "")


def test_a_missing_master_key_is_named_with_those_that_are_there(ring: KeyRing) -> None:
    sealed = replace(seal(ring, *PLACE, KEY), key_id="2019")
    with pytest.raises(VaultError, match="no master key '2019' in the key ring, which has k1"):
        open_sealed(ring, *PLACE, sealed)
