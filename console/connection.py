"""Try a tenant's key against AiAccount before anything depends on it."""

import asyncio

from consumers.client import AiAccountClient, Company, Refused
from consumers.secret import Secret
from outbox.environment import Config
from outbox.errors import ServiceError

_UNREACHED = ("TIMEOUT", "CONNECT_FAILED", "CONNECTION_BROKEN", "BODY_TOO_LARGE", "RATE_LIMITED", "HTTP_5")


def try_key(config: Config, secret: Secret, company_name: str) -> Company | Refused:
    """Ask AiAccount for the company of that name with the key.

    Raises:
        UsageError: AiAccount's URL is not set.
        ServiceError: AiAccount cannot be reached, or is too busy to answer.
    """
    answer = asyncio.run(_asked(config.require_api_url(), secret, company_name))
    if isinstance(answer, Refused) and answer.code.startswith(_UNREACHED):
        raise ServiceError(f"AiAccount did not answer the connection test: {answer.code}, {answer.reason}")
    return answer


async def _asked(api_url: str, secret: Secret, company_name: str) -> Company | Refused:
    client = AiAccountClient(api_url, connections=1)
    try:
        return await client.company(secret, company_name)
    finally:
        await client.aclose()
