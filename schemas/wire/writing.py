"""JSON as callers are sent it: a decimal is a number, with all of its digits."""

from __future__ import annotations

from typing import Final

import msgspec

encode: Final = msgspec.json.Encoder(decimal_format="number").encode
