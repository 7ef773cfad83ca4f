"""A TCP proxy that plays a bad network: it stands on a link and spoils it, after Shopify's toxiproxy.

Toxics are put on a link and taken off while connections are open, for one direction or both. The tests put
one on each of the three links: to the database, to the broker, to AiAccount.
"""

from deploy.proxy.proxy import Proxy
from deploy.proxy.toxics import (
    Bandwidth,
    Direction,
    Down,
    Latency,
    Limit,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

__all__ = [
    "Bandwidth",
    "Direction",
    "Down",
    "Latency",
    "Limit",
    "Proxy",
    "Reset",
    "Slicer",
    "SlowClose",
    "Timeout",
    "Toxic",
]
