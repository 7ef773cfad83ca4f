"""A random tree of changes and savepoints, which knows what its committed parts changed."""

import random

from tests.integration.capture.till import KOL, POS, Connection, item, one, sale, settlement

Key = tuple[str, int]


class Tree:
    """Grows in the transaction that the connection is in, the same way for the same seed and rows."""

    def __init__(self, till: Connection, seed: int) -> None:
        self._till, self.random = till, random.Random(seed)
        self._sales = [row[0] for row in till.execute("select id from pos_transactions order by id")]
        self._settlements = [row[0] for row in till.execute("select id from kol_settlements order by id")]
        query = "select id, transaction_id from pos_transaction_items order by id"
        self._items: dict[int, int] = dict(till.execute(query).fetchall())

    def grow(self, depth: int) -> set[Key]:
        """Make changes and savepoints; return the aggregates changed and not rolled back."""
        changed: set[Key] = set()
        for _ in range(self.random.randint(1, 6)):
            if depth and self.random.random() < 0.4:
                keep = self.random.random() < 0.5
                before = [*self._sales], [*self._settlements], {**self._items}
                with self._till.transaction(force_rollback=not keep):
                    inner = self.grow(depth - 1)
                if keep:
                    changed |= inner
                else:
                    self._sales, self._settlements, self._items = before
            else:
                changed |= self._change()
        return changed

    def _change(self) -> set[Key]:
        changes = [self._sell, self._settle]
        if self._sales:
            changes += [self._add, self._add, self._update, self._update, self._nothing, self._refund]
        if self._items:
            changes += [self._move, self._remove]
        if self._settlements:
            changes += [self._approve]
        return self.random.choice(changes)()

    def _sell(self) -> set[Key]:
        self._sales.append(sale(self._till))
        return {(POS, self._sales[-1])}

    def _settle(self) -> set[Key]:
        self._settlements.append(settlement(self._till))
        return {(KOL, self._settlements[-1])}

    def _add(self) -> set[Key]:
        sale_id = self.random.choice(self._sales)
        self._items[item(self._till, sale_id)] = sale_id
        return {(POS, sale_id)}

    def _update(self) -> set[Key]:
        sale_id = self.random.choice(self._sales)
        query = "update pos_transactions set subtotal = subtotal + 1 where id = %s returning original_txn_id"
        original = one(self._till, query, sale_id)
        return {(POS, sale_id)} | ({(POS, original)} if original else set())

    def _nothing(self) -> set[Key]:
        self._till.execute("update pos_transactions set subtotal = subtotal")
        return set()

    def _refund(self) -> set[Key]:
        original = self.random.choice(self._sales)
        self._sales.append(sale(self._till, original))
        return {(POS, original), (POS, self._sales[-1])}

    def _move(self) -> set[Key]:
        item_id, joined = self.random.choice([*self._items]), self.random.choice(self._sales)
        left, self._items[item_id] = self._items[item_id], joined
        query = "update pos_transaction_items set transaction_id = %s, quantity = quantity + 1 where id = %s"
        self._till.execute(query, [joined, item_id])
        return {(POS, left), (POS, joined)}

    def _remove(self) -> set[Key]:
        item_id = self.random.choice([*self._items])
        self._till.execute("delete from pos_transaction_items where id = %s", [item_id])
        return {(POS, self._items.pop(item_id))}

    def _approve(self) -> set[Key]:
        settlement_id = self.random.choice(self._settlements)
        query = "update kol_settlements set gross_sales = gross_sales + 1 where id = %s"
        self._till.execute(query, [settlement_id])
        return {(KOL, settlement_id)}
