"""The application: every controller, put together with what they need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.routes import HTTPRoute

from api.access_log import AccessLogController
from api.activity import ActivityController
from api.api_key import ApiKeyController
from api.audit_export import AuditExportController
from api.auth import AuthController
from api.call import CallController
from api.company import CompanyController
from api.company_export import CompanyExportController
from api.company_import import CompanyImportController
from api.contact import ContactController
from api.contact_bulk import ContactBulkController
from api.contact_deal import ContactDealController
from api.contact_duplicate import ContactDuplicateController
from api.contact_erasure import ContactErasureController
from api.contact_export import ContactExportController
from api.contact_file import ContactFileController
from api.contact_import import ContactImportController
from api.contact_legal_hold import ContactLegalHoldController
from api.contact_merge import ContactMergeController
from api.contact_search import ContactSearchController
from api.contact_tag import ContactTagController
from api.custom_field import CustomFieldController
from api.custom_value import CustomValueController
from api.dashboard import DashboardController
from api.deal import DealController
from api.deal_bulk import DealBulkController
from api.deal_export import DealExportController
from api.deal_import import DealImportController
from api.docs.routes import accept_invitation, docs, docs_asset, home, openapi_json
from api.history import HISTORIES
from api.http import errors, recall
from api.http.access import Accesses
from api.http.admission import Admission
from api.http.ask import provided
from api.http.attempts import Guessing
from api.http.body import Sent, StrictBody
from api.http.exporting import AT_ONCE as EXPORTED_AT_ONCE
from api.http.exporting import Exports
from api.http.file_request import file_request
from api.http.growth import Growth
from api.http.health import healthz, metrics, readyz
from api.http.limits import RateLimiter
from api.http.middleware import Authentication, RequestContext
from api.http.paging import ordered, page_request, paged
from api.http.passwords import Passwords
from api.http.routes import before
from api.http.turns import PLACES, WAIT_SECONDS, Turns
from api.http.upload import AT_ONCE, Uploads
from api.interaction import InteractionController
from api.invitation import InvitationController
from api.job import JobController
from api.log import LogController
from api.log_checkpoint import LogCheckpointController
from api.log_proof import LogProofController
from api.log_state import LogStateController
from api.note import NoteController
from api.object_attribute import ObjectAttributeController
from api.object_record import ObjectRecordController
from api.object_type import ObjectTypeController
from api.outbox import OutboxController
from api.pipeline import PipelineController
from api.segment import SegmentController
from api.smart_list import SmartListController
from api.stage import StageController
from api.tag import TagController
from api.task import TaskController
from api.timeline import TimelineController
from api.user import UserController
from api.webhook import WebhookController
from api.webhook_delivery import WebhookDeliveryController
from api.workspace import WorkspaceController
from application.calling.services import Services

Hook = Callable[[], Awaitable[None]]

CONTROLLERS = (
    AccessLogController,
    ActivityController,
    ApiKeyController,
    AuditExportController,
    AuthController,
    CallController,
    CompanyController,
    CompanyExportController,
    CompanyImportController,
    ContactBulkController,
    ContactController,
    ContactDealController,
    ContactDuplicateController,
    ContactExportController,
    ContactFileController,
    ContactImportController,
    ContactErasureController,
    ContactLegalHoldController,
    ContactMergeController,
    ContactSearchController,
    ContactTagController,
    CustomFieldController,
    CustomValueController,
    DashboardController,
    DealBulkController,
    DealController,
    DealExportController,
    DealImportController,
    *HISTORIES,
    InteractionController,
    InvitationController,
    JobController,
    LogCheckpointController,
    LogProofController,
    LogController,
    LogStateController,
    NoteController,
    ObjectAttributeController,
    ObjectRecordController,
    ObjectTypeController,
    OutboxController,
    PipelineController,
    SegmentController,
    SmartListController,
    StageController,
    TagController,
    TaskController,
    TimelineController,
    UserController,
    WebhookController,
    WebhookDeliveryController,
    WorkspaceController,
)

SPARE = 2 + AT_ONCE + EXPORTED_AT_ONCE
"""Connections beside those of the threads of requests: for `/readyz`, which answers whatever they do, uploads, exports, and notes of who read what."""
MAX_BODY = 2 * 1024 * 1024
"""Bytes; a route that takes more says so itself."""


def create_app(
    services: Services,
    *,
    rate_limits: bool = True,
    metrics_token: str | None = None,
    places: int = PLACES,
    seconds: float = WAIT_SECONDS,
    on_startup: Sequence[Hook] = (),
    on_shutdown: Sequence[Hook] = (),
) -> RequestContext:
    """The ASGI application on these services. It opens and closes nothing but what the hooks do.

    So many requests may wait for a thread (``places``), each for so many seconds.
    """
    growth = Growth()

    def committed(workspace_id: UUID, events: frozenset[str]) -> None:
        admission.committed(workspace_id, events)
        growth.tell(workspace_id)

    services.store.observers.append(committed)
    turns = Turns(max(1, services.pool.max_size - SPARE), places=places, seconds=seconds)
    admission = Admission(services, RateLimiter(services.pool, enabled=rate_limits))
    guessing, passwords, uploads = Guessing(enabled=rate_limits), Passwords(), Uploads()
    exports, accesses = Exports(), Accesses(services.pool)
    app = Litestar(
        route_handlers=[
            Router("/api/v1", route_handlers=list(CONTROLLERS)),
            healthz,
            readyz,
            metrics,
            home,
            accept_invitation,
            docs,
            docs_asset,
            openapi_json,
        ],
        dependencies={
            **provided(services),
            **recall.provided(services),
            "paged": Provide(paged, sync_to_thread=False),
            "wanted": Provide(page_request, sync_to_thread=False),
            "services": Provide(lambda: services, sync_to_thread=False),
            "guessing": Provide(lambda: guessing, sync_to_thread=False),
            "passwords": Provide(lambda: passwords, sync_to_thread=False),
            "uploads": Provide(lambda: uploads, sync_to_thread=False),
            "exports": Provide(lambda: exports, sync_to_thread=False),
            "ordered": Provide(ordered, sync_to_thread=False),
            "file": Provide(file_request, sync_to_thread=False),
            "metrics_token": Provide(lambda: metrics_token, sync_to_thread=False),
            "growth": Provide(lambda: growth, sync_to_thread=False),
        },
        middleware=[Authentication(admission, accesses)],
        before_request=before,
        exception_handlers=errors.HANDLERS,
        dto=StrictBody,
        return_dto=None,
        openapi_config=None,
        on_startup=list(on_startup),
        on_shutdown=[
            *on_shutdown,
            turns.close,
            uploads.close,
            exports.close,
            accesses.close,
            partial(services.store.observers.remove, committed),
        ],
        logging_config=None,
        request_class=Sent,
        request_max_body_size=MAX_BODY,
    )
    _resolve_in_turn(app)

    return RequestContext(app, admission, (turns, uploads, exports), growth, services.pool.give_up)


def _resolve_in_turn(app: Litestar) -> None:
    """Makes routes resolve their dependencies one after the other, not in a task each.

    Few of ours wait for anything, and the tasks took longer than all that is done in them.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [{found} for batch in model.dependency_batches for found in batch]
