"""Four shops with their goods, taxes and ways to pay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from deploy.till.basket import UNTAXED, TaxRule

SALES_TAX = TaxRule("sales", Decimal(10))
SERVICE_TAX = TaxRule("service", Decimal(8), inclusive=True)
RATES: Mapping[str, Decimal] = MappingProxyType({"SGD": Decimal("3.32150000"), "JPY": Decimal("0.02986500")})


@dataclass(frozen=True)
class Good:
    """Something sold: by the piece, or in kilograms with three decimals."""

    sku: str
    name: str
    price: Decimal
    weighed: bool = False


@dataclass(frozen=True)
class Shop:
    """How a shop sells. `currencies` are those it takes besides ringgit."""

    name: str
    goods: tuple[Good, ...]
    tax: TaxRule = UNTAXED
    service_percent: int = 0
    tips: bool = False
    gift: str | None = None
    currencies: tuple[str, ...] = field(default=())


def _goods(*told: str) -> tuple[Good, ...]:
    """Read goods from lines such as `TS-01 45.00 T-shirt`; a price that ends in /kg is by weight."""
    parts = [line.split(" ", 2) for line in told]
    return tuple(
        Good(sku, name, Decimal(cost.removesuffix("/kg")), cost.endswith("/kg")) for sku, cost, name in parts
    )


FASHION = Shop(
    "Mei Live Sdn Bhd",
    _goods(
        "TS-01 45.00 T-shirt, oversized",
        "TS-02 39.90 T-shirt, cropped",
        "DR-07 129.00 Linen dress",
        "SC-03 24.90 头巾 Silk scarf",
        "BG-11 88.00 Canvas bag",
        "SK-05 15.50 Socks, three pairs",
    ),
    SALES_TAX,
    gift="Sticker set",
)
CAFE = Shop(
    "Kopi Jun Enterprise",
    _goods(
        "KP-01 6.90 Kopi C",
        "TR-02 7.40 Teh tarik",
        "NL-01 14.90 Nasi lemak ayam",
        "RB-04 11.30 Roti bakar set",
        "CK-09 16.80 Pandan cake",
    ),
    SERVICE_TAX,
    service_percent=10,
    tips=True,
)
GROCER = Shop(
    "Pasar Segar 鲜市 Sdn Bhd",
    _goods(
        "DU-01 38.00/kg Durian Musang King",
        "MG-02 12.60/kg Mango Harumanis",
        "PR-05 54.90/kg Prawns",
        "RC-10 32.50 Rice, 10 kg",
        "EG-30 13.20 Eggs, tray of 30",
        "SY-01 8.85 Soy sauce",
    ),
    gift="Paper bag",
)
BEAUTY = Shop(
    "Aisyah Beauty Sdn Bhd",
    _goods(
        "LP-01 49.00 Lipstick, rosewood",
        "SR-02 118.00 Vitamin C serum",
        "MK-10 9.90 Sheet mask",
        "SN-50 68.50 Sunscreen SPF 50",
        "PF-03 156.00 Perfume, 30 ml",
    ),
    TaxRule("sales", Decimal(10), inclusive=True),
    gift="Sample sachet",
    currencies=("SGD", "JPY"),
)
SHOPS = (FASHION, CAFE, GROCER, BEAUTY)
