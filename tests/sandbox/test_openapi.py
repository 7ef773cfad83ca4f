"""The served description holds for what the server does: Schemathesis tries to prove otherwise."""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

import deploy.sandbox
from deploy.sandbox.endpoint import SCOPES
from deploy.sandbox.problem import Code
from tests.sandbox.shop import Shop

OPENAPI = Path(deploy.sandbox.__file__).with_name("openapi.json")
DESCRIPTION = json.loads(OPENAPI.read_text(encoding="utf-8"))
OPERATIONS = [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods]
EXAMPLES = 25
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
        headers = {"Authorization": f"Bearer {shop.key}"}
        response = case.call(headers=headers)
        case.validate_response(response, checks=checks)
        seen.add(response.status_code)

    push()
    assert seen
