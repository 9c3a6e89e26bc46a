"""Exports of deals: all that the importer of deals reads."""

from __future__ import annotations

from typing import Final

from application.exporting.exporter import Exporter
from domain.deal import Deal
from domain.deal_mapping import DEALS as FIELDS
from projections import deal as rows
from projections.custom_field import keys
from schemas.deal import DealView

DEALS: Final[Exporter[Deal, DealView]] = Exporter(
    listing=rows.LISTING,
    fields=FIELDS,
    view=DealView,
    views=rows.views,
    defined=lambda conn: keys(conn, "deal"),
    own={"probability": lambda deal, _: deal.state.probability},  # that of its stage would become its own
)
