"""Sealed keys are stored, replaced and sealed anew; nothing gives one back but the vault."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, insert, select, update

from consumers.keyring import new_master_key, parse_key_ring
from consumers.vault import PURPOSE, Sealed, open_sealed, seal
from outbox import credentials, tables
from outbox.credentials import find, listed, note_tested, reseal, store, tenants_with_keys
from outbox.errors import UsageError, VaultError
from outbox.tables import stops, tasks
from outbox.tenants import Tenant, get

Given = Callable[..., None]
LATER = datetime(2100, 1, 1, tzinfo=UTC)
RING = parse_key_ring(new_master_key("k1"), "the test")


def sealing(key: str, tenant_id: int = 7) -> Callable[[int], Sealed]:
    """Return what seals a key for the row version that it is given."""
    return lambda version: seal(RING, "test", tenant_id, PURPOSE, version, key)


def stopped(connection: Connection, version: int) -> None:
    """Stop the tenant for a key of this version."""
    row = {"endpoint": "*", "code": "API_KEY_INVALID", "reason": "no", "settings_version": 1}
    connection.execute(insert(stops).values(tenant_id=7, key_version=version, **row))


def opened(connection: Connection, tenant_id: int = 7) -> str:
    """Return the key as the vault opens it."""
    found = find(connection, tenant_id)
    assert found is not None
    sealed = Sealed(found.key_id, found.nonce, found.ciphertext)
    return open_sealed(RING, "test", tenant_id, PURPOSE, found.version, sealed).reveal()


def test_the_vault_and_the_table_speak_of_the_same_purpose() -> None:
    assert credentials.PURPOSE == PURPOSE


def test_a_stored_key_opens_and_a_replaced_one_has_the_next_version(
    connection: Connection, tenant: Tenant
) -> None:
    assert store(connection, tenant.tenant_id, sealing("first"), "ana", tested=True) == 1
    assert opened(connection) == "first"
    assert store(connection, tenant.tenant_id, sealing("second"), "ben", tested=False) == 2
    assert opened(connection) == "second"
    (standing,) = listed(connection)
    assert (standing.version, standing.key_id, standing.set_by) == (2, "k1", "ben")
    assert standing.tested_at is None


def test_a_key_of_a_tenant_that_is_not_there_is_refused(connection: Connection) -> None:
    with pytest.raises(UsageError, match="no tenant 7"):
        store(connection, 7, sealing("key"), "ana", tested=True)


def test_a_new_key_lifts_the_stop_and_makes_open_tasks_due(
    connection: Connection, tenant: Tenant, given_task: Given
) -> None:
    store(connection, tenant.tenant_id, sealing("old"), "ana", tested=True)
    stopped(connection, 1)
    given_task(1, due_at=LATER)
    given_task(2)
    assert listed(connection)[0].stopped == ("API_KEY_INVALID",)
    store(connection, tenant.tenant_id, sealing("new"), "ana", tested=True)
    assert listed(connection)[0].stopped == ()
    assert get(connection, 7).settings_version == 3, "a first delivery under way looks again by it"
    due = select(tasks.c.due_at < LATER).order_by(tasks.c.aggregate_id)
    assert connection.scalars(due).all() == [True, None]


def test_a_row_put_back_to_an_old_seal_does_not_open(connection: Connection, tenant: Tenant) -> None:
    store(connection, tenant.tenant_id, sealing("old"), "ana", tested=True)
    old = find(connection, 7)
    store(connection, tenant.tenant_id, sealing("new"), "ana", tested=True)
    assert old is not None
    connection.execute(update(tables.credentials).values(nonce=old.nonce, ciphertext=old.ciphertext))
    with pytest.raises(VaultError, match="is not what was sealed"):
        opened(connection)


def test_sealing_anew_keeps_the_key_and_what_was_learnt_with_it(
    connection: Connection, tenant: Tenant
) -> None:
    store(connection, tenant.tenant_id, sealing("key"), "ana", tested=True)
    stopped(connection, 1)
    before = listed(connection)[0]
    assert reseal(connection, 7, lambda old: sealing("key")(old.version + 1)) == 2
    assert opened(connection) == "key"
    after = listed(connection)[0]
    assert (after.tested_at, after.set_by, after.stopped) == (before.tested_at, "ana", ("API_KEY_INVALID",))
    assert connection.scalars(select(stops.c.key_version)).all() == [2]


def test_a_tenant_without_a_key_has_nothing_to_seal_anew(connection: Connection, tenant: Tenant) -> None:
    with pytest.raises(UsageError, match="tenant 7 has no key"):
        reseal(connection, tenant.tenant_id, lambda old: sealing("key")(old.version))
    assert find(connection, tenant.tenant_id) is None
    (standing,) = listed(connection)
    assert (standing.version, standing.set_at) == (None, None)
    assert tenants_with_keys(connection).all() == []


def test_a_test_is_noted_for_the_key_that_was_tested_only(connection: Connection, tenant: Tenant) -> None:
    store(connection, tenant.tenant_id, sealing("key"), "ana", tested=False)
    stopped(connection, 1)
    assert not note_tested(connection, 7, 2)
    assert listed(connection)[0].tested_at is None
    assert listed(connection)[0].stopped == ("API_KEY_INVALID",)
    assert note_tested(connection, 7, 1)
    assert listed(connection)[0].tested_at is not None
    assert listed(connection)[0].stopped == ()
    assert get(connection, 7).settings_version == 3, "a process remembers the refusal by version 2"
    assert tenants_with_keys(connection).all() == [7]
