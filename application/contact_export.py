"""Exports of contacts: all that the importer of contacts reads."""

from __future__ import annotations

from typing import Final

from application.exporting.exporter import Exporter
from domain.contact import Contact
from domain.contact_mapping import PEOPLE
from projections import contact as rows
from projections.contact_view import views
from projections.custom_field import keys
from schemas.contact import ContactView

CONTACTS: Final[Exporter[Contact, ContactView]] = Exporter(
    listing=rows.LISTING, fields=PEOPLE, view=ContactView, views=views, defined=lambda conn: keys(conn, "contact")
)
