"""Alerts: listed, shown, acknowledged, resolved."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from alerts.payload import alert_data
from api.access import ADMIN, IdentityDep
from api.alert_desk import AlertDesk
from api.alert_schemas import AlertAnswer, AlertList
from api.problems import not_found
from api.routes.filters import AlertFilterDep, Cursor, Limit
from api.schemas import NoteBody
from api.services import ServicesDep
from contracts.alerts import Alert

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


async def desk_of(request: Request) -> AlertDesk:
    """Return the app's alert desk."""
    desk: AlertDesk = request.app.state.alerts
    return desk


DeskDep = Annotated[AlertDesk, Depends(desk_of)]
"""Parameter type with which a route asks for the alert desk."""


@router.get("", openapi_extra=ADMIN)
def list_alerts(
    services: ServicesDep, where: AlertFilterDep, cursor: Cursor = None, limit: Limit = 50
) -> AlertList:
    """List alerts, newest first."""
    page = services.archive.list_alerts(where, cursor=cursor, limit=limit)
    return AlertList(items=[_answer(alert) for alert in page.items], next_cursor=page.next_cursor)


@router.get("/{alert_id}", openapi_extra=ADMIN)
def get_alert(alert_id: str, services: ServicesDep) -> AlertAnswer:
    """Return one alert at its newest revision, as in webhooks and the live stream."""
    alert = services.archive.alert(alert_id)
    if alert is None:
        raise not_found("alert")
    return _answer(alert)


@router.post("/{alert_id}/ack", openapi_extra=ADMIN)
def acknowledge_alert(
    alert_id: str, identity: IdentityDep, desk: DeskDep, body: NoteBody | None = None
) -> AlertAnswer:
    """Say that you have seen it; the same again changes nothing."""
    note = body.note if body else ""
    return _answer(desk.acknowledge(alert_id, by=identity.name, note=note))


@router.post("/{alert_id}/resolve", openapi_extra=ADMIN)
def resolve_alert(
    alert_id: str, identity: IdentityDep, desk: DeskDep, body: NoteBody | None = None
) -> AlertAnswer:
    """Say that it is dealt with; the same again changes nothing."""
    note = body.note if body else ""
    return _answer(desk.resolve(alert_id, by=identity.name, note=note))


def _answer(alert: Alert) -> AlertAnswer:
    return AlertAnswer.model_validate(alert_data(alert))
