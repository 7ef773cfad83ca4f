"""Which companies there are, and which key opens which of them."""

from collections.abc import Iterator

from deploy.sandbox.company import Company, CompanyInvalidError, Key


class Registry:
    """The companies by id, and their keys by SHA-256; a key is bound to one company."""

    def __init__(self) -> None:
        self._companies: dict[str, Company] = {}
        self._keys: dict[str, tuple[str, Key]] = {}

    def __iter__(self) -> Iterator[Company]:
        return iter(self._companies.values())

    def get(self, company_id: str) -> Company | None:
        """Return the company, or None if there is none."""
        return self._companies.get(company_id)

    def put(self, company: Company) -> None:
        """Set a company and its keys; its earlier keys open nothing any more.

        Raises `CompanyInvalidError` when another company has one of the keys.
        """
        for key in company.keys:
            holder = self._keys.get(key.sha256)
            if holder is not None and holder[0] != company.company_id:
                raise CompanyInvalidError(f"A key of {company.company_id} is bound to {holder[0]} already")
        before = self._companies.get(company.company_id)
        for key in before.keys if before else ():
            self._keys.pop(key.sha256, None)
        self._companies[company.company_id] = company
        self._keys.update({key.sha256: (company.company_id, key) for key in company.keys})

    def open(self, key_sha256: str) -> tuple[Company, Key] | None:
        """Return the company that a key opens, with the key, or None."""
        found = self._keys.get(key_sha256)
        return None if found is None else (self._companies[found[0]], found[1])
