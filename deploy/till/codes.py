"""The codes that map all a till writes to the master data of a company as the sandbox makes them."""

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "tax:none:0": "NT",
        "tax:sales:10": "MY-SALES10",
        "tax:service:6": "SV6",
        "tax:service:8": "SV8",
        "payment:cash:MYR": "12100",
        "payment:duitnow:MYR": "12200",
        "payment:card:MYR": "12300",
        "payment:bank_transfer:MYR": "12000",
        "payment:voucher:MYR": "21600",
        "payment:cash:SGD": "12150",
        "payment:card:SGD": "12150",
        "payment:cash:JPY": "12160",
        "payment:card:JPY": "12160",
        "account:sales": "40000",
        "account:service_charge": "40100",
        "account:tips": "21500",
        "account:rounding": "40900",
        "account:expense": "61001",
        "account:wht_payable": "21700",
    }
)
UNMAPPED = "paylater"
"""A method of payment that no tenant has mapped."""
