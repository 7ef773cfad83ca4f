"""A till that writes NS16's rows as a shop does, for the demo, the fault runs and the benchmarks.

Baskets and commissions are values that add up as NS16's do; a `Till` writes them over a connection and says
when each change was committed. A seeded `Shopper` draws believable ones.
"""

from deploy.till.basket import Basket, Customer, Item, TaxRule, Tender, item, price
from deploy.till.codes import CODES
from deploy.till.commission import Adjustment, Commission
from deploy.till.numbers import Numbers
from deploy.till.payroll import Payroll, Settlement
from deploy.till.shopper import Shopper
from deploy.till.shops import SHOPS, Shop
from deploy.till.till import Sale, Till

__all__ = [
    "CODES",
    "SHOPS",
    "Adjustment",
    "Basket",
    "Commission",
    "Customer",
    "Item",
    "Numbers",
    "Payroll",
    "Sale",
    "Settlement",
    "Shop",
    "Shopper",
    "TaxRule",
    "Tender",
    "Till",
    "item",
    "price",
]
