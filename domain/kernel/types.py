"""The types that fields are made of: each says how its values are kept. Where one is declared, ``Meta`` says what it means."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from domain.kernel import values
from domain.kernel.fields import Defined, Kept
from domain.kernel.values import CustomValue

Name = Annotated[str, Kept(values.text)]
"""One line that must be there."""
Line = Annotated[str, Kept(values.text_or_none)]
"""One line; white space alone is no value."""
Text = Annotated[str, Kept(values.long_text)]
"""Free text with line breaks."""
Markdown = Annotated[str, Kept(values.markdown)]
"""Text that is kept as it was given."""
Email = Annotated[str, Kept(values.email_or_none)]
RequiredEmail = Annotated[str, Kept(values.email)]
Phone = Annotated[str, Kept(values.written_phone)]
"""A number as people write it; whose decider knows the country makes E.164 of it (``values.phone``)."""
Domain = Annotated[str, Kept(values.domain_or_none)]
"""Of a website; a URL is cut down to it."""
PhoneRegion = Annotated[str, Kept(values.phone_region)]
Url = Annotated[str, Kept(values.web_url_or_none)]
Moment = Annotated[datetime, Kept(values.moment)]
"""A time with its zone, in UTC."""
Day = Annotated[str, Kept(values.day)]
Language = Annotated[str, Kept(values.language)]
Color = Annotated[str, Kept(values.color)]
CustomFields = Annotated[
    dict[str, CustomValue],
    Kept(values.custom_fields),
    Defined("custom_field"),
    Meta(
        description=(
            "Fields of your own by key, as they are defined: text, numbers, booleans, or lists of these. A key that is not"
            " defined takes any. In a PATCH they are merged by key, and null takes one away."
        )
    ),
]
"""Fields of a workspace's own by key; those that it has defined are held to what it has said of them."""
Preferences = Annotated[dict[str, str | None], Kept(values.preferences)]
