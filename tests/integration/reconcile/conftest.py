"""A world with one tenant, as the deliveries have it, and reconciliation to look at it."""

from tests.integration.delivery.conftest import sandbox, world

__all__ = ["sandbox", "world"]
