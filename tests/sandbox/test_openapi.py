"""The served description holds for what the server does: Schemathesis tries to prove otherwise."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

import deploy.sandbox
from deploy.sandbox.endpoint import SCOPES
from deploy.sandbox.problem import Code
from tests.sandbox.documents import COMPANY, Document, bill, invoice, payment, receipt
from tests.sandbox.shop import Shop

OPENAPI = Path(deploy.sandbox.__file__).with_name("openapi.json")
DESCRIPTION = json.loads(OPENAPI.read_text(encoding="utf-8"))
OPERATIONS = [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods]
EXAMPLES = 25
DOCUMENTS = {
    "sales-invoices": invoice(),
    "sales-receipts": receipt(),
    "expense-bills": bill(),
    "expense-payments": payment(),
}
CONFORMS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
]


def test_the_description_is_served(shop: Shop) -> None:
    assert shop.call("GET", "/openapi.json").body == DESCRIPTION


def test_the_description_names_every_path_and_code() -> None:
    assert {path for path, _ in OPERATIONS} == {
        *(f"/api/v1/{scope}" for scope in SCOPES),
        "/api/v1/company",
        "/api/v1/master-data",
    }
    assert DESCRIPTION["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(Code)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_sent_the_answer_is_as_described(
    shop: Shop, path: str, method: str, mode: GenerationMode
) -> None:
    load_all_checks()
    checks = CHECKS.get_by_names(CONFORMS)
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    schema.config.update(base_url=shop.sandbox.url)
    strategy = schema[path][method.upper()].as_strategy(generation_mode=mode)
    seen: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def push(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE:
            _name_the_company(case)
        response = case.call(headers={"Authorization": f"Bearer {shop.key}"})
        case.validate_response(response, checks=checks)
        seen.add(response.status_code)

    push()
    assert seen <= {200, 404, 422} if mode is GenerationMode.POSITIVE else seen


def _name_the_company(case: schemathesis.Case) -> None:
    """Bring a case past the question whose books it is for, on to the rules."""
    if isinstance(case.body, dict):
        case.body["company_name"] = COMPANY
    else:
        case.query["company"] = COMPANY


def test_the_answers_of_a_working_day_are_as_described(open_shop: Callable[..., Shop]) -> None:
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    shop, silent, limited = open_shop(), open_shop(silent=True), open_shop(rate_per_minute=1)
    locked = open_shop(locked_until="2026-12-31", subscription_active=True)
    seen = []

    def call(who: Shop, scope: str, document: Document | None = None, **query: str) -> None:
        path = f"/api/v1/{scope}"
        response = requests.request(
            "GET" if document is None else "POST",
            who.sandbox.url + path,
            params={"company": COMPANY, **query} if document is None else None,
            json=document,
            headers={"Authorization": f"Bearer {who.key}", "Idempotency-Key": "k"},
            timeout=20,
        )
        schema[path][response.request.method or ""].validate_response(response)
        seen.append(response.status_code)

    for who in (shop, silent):
        for scope, document in DOCUMENTS.items():
            contact = document["contact"]["code"]
            call(who, scope, document)
            call(who, scope, document)
            call(who, scope, {**document, "date": "2026-05-02"})
            call(who, scope, number=document["number"], contact=contact)
    for place in ("company", "master-data"):
        call(locked, place)
    call(locked, "sales-invoices", invoice())
    call(limited, "company")
    call(limited, "company")
    call(shop, "sales-invoices", invoice(memo="x" * 1_000_001))
    shop.key = "unknown-key"
    call(shop, "company")
    assert Counter(seen) == {200: 4 + 4 + 8 + 4 + 3, 201: 8, 409: 4, 422: 1, 429: 1, 413: 1, 401: 1}
