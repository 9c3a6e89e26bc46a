"""What the columns of a table of deals may be for: the headers that people write above them, and how their cells are read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, get_args

from domain.deal import DETAILS, DealChanges
from domain.importing.cells import by_type, day, id_of, word_of
from domain.importing.fields import Fields, Map
from domain.kernel.money import Amount
from domain.stage import DealStatus, probability

CUSTOM: Final = "custom."
NAMED: Final = {
    "pipeline": "pipeline_id",
    "stage": "stage_id",
    "contact": "contact_id",
    "company": "company_id",
    "owner": "assigned_to",
}
"""What a row may name in place of its id: the pipeline, stage and company by name, the contact and owner by e-mail address."""

_AMOUNT: Final = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})++|[0-9]++)(?:\.[0-9]*+)?\Z")
_AROUND: Final = " \t\u00a0$€£¥"
_SHARE: Final = re.compile(r"([0-9]++(?:\.[0-9]*+)?) ?(%)?\Z")
_LONGEST: Final = 40


def amount(cell: str) -> Amount:
    """An amount as it is written in one way only: ``42000.5`` or ``$42,000.50``."""
    written = cell.strip(_AROUND)
    if len(written) > _LONGEST or not _AMOUNT.match(written):
        raise ValueError("must be an amount, such as 42000.50")
    return Decimal(written.replace(",", ""))


def share(cell: str) -> float:
    """A probability: ``0.55``, or ``55%``."""
    found = None if len(cell) > _LONGEST else _SHARE.match(cell.strip())
    if found is None:
        raise ValueError("must be between 0 and 1, such as 0.55, or a percentage")
    return probability(float(Decimal(found[1]) / 100 if found[2] else Decimal(found[1])))


_FIELDS: Final = dict(zip(DealChanges.__struct_encode_fields__, DealChanges.__struct_fields__, strict=True))

DEALS: Final = Fields(
    noun="deal",
    cells={
        **{wire: python for wire, python in _FIELDS.items() if python in DETAILS - {"custom_fields"}},
        "value": "value",
        "currency": "currency",
        "status": "status",
        "pipelineId": "pipeline_id",
        "stageId": "stage_id",
        **{name: name for name in NAMED},
    },
    synonyms={
        "name": "name dealname deal title dealtitle opportunityname opportunity",
        "value": "value amount dealvalue dealamount opportunityvalue expectedrevenue revenue worth price",
        "currency": "currency currencycode dealcurrency currencyisocode",
        "status": "status dealstatus",
        "probability": "probability winprobability likelihood",
        "expectedCloseDate": "expectedclosedate closedate closingdate expectedclose",
        "pipelineId": "pipelineid",
        "stageId": "stageid",
        "contactId": "contactid primarycontactid",
        "companyId": "companyid accountid organizationid",
        "assignedTo": "assignedto ownerid assigneduserid",
        "pipeline": "pipeline pipelinename",
        "stage": "stage stagename dealstage pipelinestage",
        "contact": "contactemail contact email emailaddress personemail primarycontactemail",
        "company": "company companyname organization organisation organizationname account accountname",
        "owner": "owneremail owner dealowner assigneeemail",
    },
    readers={
        **by_type(DealChanges),
        "pipelineId": id_of("pipeline"),
        "stageId": id_of("stage"),
        "status": word_of(get_args(DealStatus)),
        "value": amount,
        "probability": share,
        "expectedCloseDate": day,
    },
    maps={CUSTOM: Map("custom_fields", "customFields")},
    spellings={"customFields.": CUSTOM, "custom_fields.": CUSTOM},
    common_words=frozenset(
        {
            "value",
            "status",
            "probability",
            "expectedCloseDate",
            "pipelineId",
            "stageId",
            "contactId",
            "companyId",
            "assignedTo",
        }
    ),
    whole=None,
    needed=("name",),
)
