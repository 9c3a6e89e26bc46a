"""A bucket that checkpoints are put into: each an object of its own, under a lock that holds for a number of days."""

from __future__ import annotations

import configparser
import logging
import os
import re
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import md5
from io import BytesIO
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.credentials.providers import AWSConfigProvider, ChainedProvider, EnvAWSProvider, IamAwsProvider
from minio.error import MinioException, S3Error
from minio.retention import Retention
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from domain.kernel.values import web_url
from gateways.checkpoint_sink import SinkError, SinkRefusedError, line
from schemas.verification import Checkpoint

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 5.0
_METADATA_SECONDS: Final = 1.0
"""For the service of a cloud machine that knows its credentials: where there is none, nobody answers."""
_SAID: Final = 300
"""Characters of what a store says that are told."""
_ADDRESS: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9_./-]{0,400}))?")
_NO_LOCK: Final = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})

logger = logging.getLogger("daybook.checkpoints")


def address(given: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``; raises ``ValueError``."""
    found = _ADDRESS.fullmatch(given)
    if found is None:
        raise ValueError("must be as s3://bucket/prefix")
    prefix = (found[2] or "").strip("/")
    if prefix and not {"", ".", ".."}.isdisjoint(prefix.split("/")):
        raise ValueError("must be as s3://bucket/prefix, without empty parts, . and ..")
    return found[1], prefix


def endpoint(given: str) -> str:
    """A URL without a path, which buckets have; raises ``ValueError``."""
    found = web_url(given).rstrip("/")
    if found.count("/") != 2:
        raise ValueError("must be a URL of a host without a path")
    return found


@dataclass(frozen=True)
class Bucket:
    """``mode`` is ``COMPLIANCE`` (nobody takes the lock away) or ``GOVERNANCE`` (who has the right may)."""

    bucket: str
    prefix: str
    endpoint: str
    mode: str
    days: int

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.prefix} at {self.endpoint}"

    def check(self) -> None:
        """Whether there are credentials, and the bucket has object lock; raises ``SinkError``."""
        try:
            self._credentials.retrieve()
        except (ValueError, KeyError, OSError, HTTPError, configparser.Error):
            raise SinkRefusedError(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
            ) from None
        with self._told():
            self._careful.get_object_lock_config(self.bucket)

    def put(self, checkpoint: Checkpoint, digest: str) -> None:
        """Puts ``<prefix>/<workspace>/<seq>.json``. Where another checkpoint is there, as of a log that was put back
        and signed anew, both are kept: this one as ``<seq>-<digest>.json``.
        """
        place = f"{self.prefix}/{checkpoint.workspace_id}/{checkpoint.seq:012}".lstrip("/")
        content = line(checkpoint)
        with self._told():
            if self._is_new(f"{place}.json", content) or self._read(f"{place}.json", len(content) + 1) == content:
                return
            logger.warning("another checkpoint is at %s.json: this one is kept beside it", place)
            self._is_new(f"{place}-{digest[:16]}.json", content)

    def _is_new(self, key: str, content: bytes) -> bool:
        """Puts an object where none is. A store that knows no conditions keeps both as versions under their locks."""
        try:
            self._write(self._careful, key, content)
        except S3Error as error:
            if error.code == "PreconditionFailed":
                return False
            if error.code != "NotImplemented":
                raise
            self._write(self._plain, key, content)
        return True

    def _write(self, client: Minio, key: str, content: bytes) -> None:
        until = Retention(self.mode, datetime.now(UTC) + timedelta(days=self.days))
        client.put_object(
            self.bucket, key, BytesIO(content), len(content), content_type="application/json", retention=until
        )

    def _read(self, key: str, most: int) -> bytes:
        response = self._careful.get_object(self.bucket, key)
        try:
            return response.read(most)
        finally:
            response.close()
            response.release_conn()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What a store says is told in a line; nothing of what was sent to it is in that."""
        try:
            yield
        except S3Error as error:
            raise _refusal(self.bucket, error) from None
        except (MinioException, HTTPError, OSError, ValueError, ParseError) as error:
            raise SinkError(f"{self.endpoint}: {' '.join(str(error).split())[:_SAID]}") from None

    @cached_property
    def _credentials(self) -> ChainedProvider:
        """As the command line of AWS looks for them: environment, file of profiles, role of the machine."""
        http = PoolManager(timeout=Timeout(connect=_METADATA_SECONDS, read=READ_SECONDS), retries=Retry(0))
        return ChainedProvider([EnvAWSProvider(), AWSConfigProvider(), IamAwsProvider(http_client=http)])

    @cached_property
    def _careful(self) -> Minio:
        return self._client(_OnlyWhereNoneIs)

    @cached_property
    def _plain(self) -> Minio:
        return self._client(_Summed)

    def _client(self, http: type[PoolManager]) -> Minio:
        return Minio(
            urlsplit(self.endpoint).netloc,
            secure=self.endpoint.startswith("https:"),
            region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
            credentials=self._credentials,
            http_client=http(
                timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                retries=Retry(1, backoff_factor=0.2, respect_retry_after_header=False),
                ssl_context=ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE")),
            ),
        )


class _Summed(PoolManager):
    """An object under a lock is only taken with the sum of its content, which the client leaves out without TLS."""

    always: ClassVar[dict[str, str]] = {}

    def urlopen(self, method: str, url: str, redirect: bool = True, **given: Any) -> BaseHTTPResponse:  # type: ignore[override] # as that of PoolManager
        if method == "PUT":
            content_md5 = b64encode(md5(given["body"], usedforsecurity=False).digest()).decode()
            given["headers"] = {"Content-MD5": content_md5, **given["headers"], **self.always}
        return super().urlopen(method, url, redirect, **given)


class _OnlyWhereNoneIs(_Summed):
    """The condition for which the client has no word."""

    always: ClassVar = {"If-None-Match": "*"}


def _refusal(bucket: str, error: S3Error) -> SinkError:
    if error.code in _NO_LOCK:
        return SinkRefusedError(f"the bucket {bucket} has no object lock: make one that has")
    said = f"the bucket {bucket}: {error.code}: {error.message}"[:_SAID]
    refused = 400 <= error.response.status < 500 or error.response.status == 501
    return SinkRefusedError(said) if refused and error.code != "ConditionalRequestConflict" else SinkError(said)
