"""Rules of companies: what is kept of what is given."""

from __future__ import annotations

import pytest

from domain.company import COMPANY, CompanyChanges, CompanyCreated, CompanyUpdated, CreateCompany, UpdateCompany
from domain.kernel.address import PostalAddress
from tests.language import given

created = CompanyCreated(name="Acme Corp", domain="acme.example", size="11-50")


def test_a_company_is_kept_in_its_normal_form() -> None:
    command = CreateCompany(
        name=" Acme Corp ", domain="https://Acme.Example/beer?x#y", size="11-50", industry=" ", address=PostalAddress()
    )
    given(COMPANY).when(command).then(created)


@pytest.mark.parametrize(
    "domain", ["acme", "-a.example", "a..example", "a b.example", "x" * 64 + ".example", "https://", "1" * 3000]
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    given(COMPANY).when(CreateCompany(name="A", domain=domain)).refused("validation_failed", field="domain")


def test_an_address_is_judged_line_by_line_and_changed_as_a_whole() -> None:
    given(COMPANY).when(CreateCompany(name="A", address=PostalAddress(city="a\0b", street="x" * 300))).refused(
        "validation_failed", fields=["address.street", "address.city"]
    )
    first, second = PostalAddress(city="Bonn", zip="1"), PostalAddress(city="Köln")
    given(COMPANY, created, UpdateCompany(address=first)).when(UpdateCompany(address=second)).then(
        CompanyUpdated(changed=CompanyChanges(address=second), previous=CompanyChanges(address=first))
    )


def test_only_what_differs_is_changed() -> None:
    given(COMPANY, created).when(UpdateCompany(name="Acme Corp", domain="ACME.example")).nothing()
    given(COMPANY, created).when(UpdateCompany(size=None)).then(
        CompanyUpdated(changed=CompanyChanges(size=None), previous=CompanyChanges(size="11-50"))
    )


def test_a_name_is_needed() -> None:
    given(COMPANY).when(CreateCompany(name=" ")).refused("validation_failed", field="name")
