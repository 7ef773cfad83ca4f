"""Who trades in the demo: five bloggers who subscribed, each with books of their own, and one who did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.sandbox.defaults import company
from deploy.sandbox.endpoint import SCOPES
from deploy.till import CODES, Shop
from deploy.till.shops import BEAUTY, CAFE, FASHION, GROCER

OWN_KOL = 10
"""Every blogger's own KOL, who is never paid a commission."""


@dataclass(frozen=True)
class Blogger:
    """A blogger with a shop.

    `share` is how much of the day's sales are theirs, in percent; `company` holds the fields in which their
    books differ from a usual company's.
    """

    blogger_id: int
    name: str
    shop: Shop
    share: int
    kol_mode: str = "multi"
    subscribed: bool = True
    company: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def company_id(self) -> str:
        """The id of their company in AiAccount."""
        return f"C{self.blogger_id}"

    @property
    def posts(self) -> bool:
        """Whether their sales get into books at all."""
        return self.subscribed and not self.company

    def books(self, key: str) -> dict[str, Any]:
        """Return their company as the sandbox takes it, with this API key."""
        keys = [{"key": key, "scopes": list(SCOPES)}]
        return company(self.company_id, self.name, keys=keys, **self.company)


BLOGGERS = (
    Blogger(7, "Mei Live Sdn Bhd", FASHION, 30, note="fashion, 10 % sales tax on top"),
    Blogger(
        8,
        "Kopi Jun Enterprise",
        CAFE,
        25,
        kol_mode="single",
        note="café, 8 % service tax included; owes no KOL",
    ),
    Blogger(9, "Pasar Segar 鲜市 Sdn Bhd", GROCER, 20, note="grocer, weighs; takes a payment nobody mapped"),
    Blogger(12, "Aisyah Beauty Sdn Bhd", BEAUTY, 15, note="beauty, 10 % included; MYR, SGD and JPY"),
    Blogger(
        15,
        "Batik Baru Sdn Bhd",
        FASHION,
        6,
        company={"tax_codes": ["NT", "SV6", "SV8"]},
        note="its books lack the tax code MY-SALES10",
    ),
    Blogger(99, "Kedai Lama", GROCER, 4, subscribed=False, note="did not subscribe"),
)
TENANTS = tuple(blogger for blogger in BLOGGERS if blogger.subscribed)


def codes() -> dict[str, str]:
    """Return the codes that every tenant's settings map."""
    return dict(CODES)
