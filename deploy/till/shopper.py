"""Draw believable baskets, ways to pay and commissions: the same seed gives the same day."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from deploy.till.basket import Basket, Customer, Item, Tender, item, price
from deploy.till.commission import Adjustment, Commission
from deploy.till.money import ZERO, rounded, unit_of
from deploy.till.shops import RATES, Good, Shop

_MEMBERS = (
    Customer(501, "Lim Wei Ling"),
    Customer(502, "Nurul Huda", "IG20193847010"),
    Customer(503, "陈志明"),
    Customer(504, "R. Kumar"),
    Customer(505, "Siti Aminah"),
)
_KOLS = ((11, "Aisyah Rahman"), (12, "Jun Tan"), (13, "小美"), (14, "Daniel Wong"))
_CASHLESS = ("card", "duitnow", "voucher")


class Shopper:
    """Draws from a seeded random generator; not for several threads."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def chance(self, percent: float) -> bool:
        """Say yes this often."""
        return self._random.random() * 100 < percent

    def basket(self, shop: Shop, currency: str = "MYR") -> Basket:
        """Fill a basket with one to five lines; its total is positive."""
        goods = self._random.sample(shop.goods, self._random.choice((1, 1, 2, 2, 3, 3, 4, 5)))
        lines = [self._line(good, currency) for good in goods]
        if shop.gift and self.chance(15):
            lines.append(item("GIFT", shop.gift, "0", kind="gift", currency=currency))
        if self.chance(4):
            lines.append(self._brought_back(lines[0], currency))
        worth = sum((line.line_total for line in lines), ZERO)
        by_line = self.chance(25)
        off = ZERO if by_line or not self.chance(20) else worth * self._random.choice((5, 10, 15)) / 100
        return price(
            lines,
            shop.tax,
            currency=currency,
            exchange_rate=RATES.get(currency),
            order_discount=rounded(off, currency),
            service_percent=shop.service_percent if self.chance(60) else 0,
            tip=Decimal(self._random.randint(1, 5)) if shop.tips and self.chance(15) else ZERO,
            customer=self._random.choice(_MEMBERS) if self.chance(30) else None,
            tax_by_line=by_line,
        )

    def purchase(self, shop: Shop) -> tuple[Basket, tuple[Tender, ...]]:
        """Fill a basket and choose how it is paid: cash, rounded, or cashless, or split in two or three."""
        if shop.currencies and self.chance(20):
            basket = self.basket(shop, self._random.choice(shop.currencies))
            return basket, basket.split(self._random.choice(("cash", "card")))
        basket = self.basket(shop)
        if self.chance(15):
            basket = basket.in_cash()
            return basket, basket.split(
                "cash", *self._random.sample(_CASHLESS, self._random.choice((1, 1, 2)))
            )
        if self.chance(45):
            basket = basket.in_cash()
            return basket, basket.split("cash")
        return basket, basket.split(self._random.choice(_CASHLESS))

    def commission(self, month_end: date, *, platform: bool = False) -> Commission:
        """Draw a month's commission for one of the KOLs."""
        payee, name = self._random.choice(_KOLS)
        adjustments = []
        if self.chance(40):
            adjustments.append(Adjustment("Bonus", Decimal(self._random.choice((50, 100, 200)))))
        if self.chance(20):
            adjustments.append(Adjustment("Damaged samples", Decimal("-35.50")))
        return Commission(
            payee_kol_id=payee,
            payee_name=name,
            gross_sales=Decimal(self._random.randint(200_000, 2_500_000)) / 100,
            rate=Decimal(self._random.choice(("8", "12.5", "15"))),
            period_start=month_end.replace(day=1),
            period_end=month_end,
            adjustments=tuple(adjustments),
            wht_rate=Decimal(2) if self.chance(30) else Decimal(0),
            platform=platform,
        )

    def _line(self, good: Good, currency: str) -> Item:
        quantity = (
            Decimal(self._random.randint(150, 2_400)) / 1_000
            if good.weighed
            else Decimal(self._random.choice((1, 1, 1, 2, 3)))
        )
        each = rounded(good.price / RATES.get(currency, Decimal(1)), currency)
        worth = each * quantity
        off = rounded(worth / 10, currency) if self.chance(15) and worth > unit_of(currency) * 10 else ZERO
        return item(good.sku, good.name, each, quantity, discount=off, currency=currency)

    def _brought_back(self, bought: Item, currency: str) -> Item:
        """Exchange: something cheaper than what is bought comes back."""
        worth = rounded(max(bought.unit_price / 2, unit_of(currency)), currency)
        quantity = min(bought.quantity, Decimal(1))
        return item("EXCHANGE", f"Returned: {bought.description}", worth, -quantity, currency=currency)


def last_month(day: date) -> date:
    """Return the last day of the month before."""
    return day.replace(day=1) - timedelta(days=1)
