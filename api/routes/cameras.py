"""Cameras: added, listed, changed, removed; how they are doing; what they are watched for."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import SecretStr

from api.access import ADMIN, IdentityDep
from api.cameras import CameraDesk, make_source, status_of
from api.rules_file import SceneRulesParser, dump_rules
from api.schemas import (
    CameraAnswer,
    CameraBody,
    CameraChange,
    CameraList,
    FrameCounts,
    SourceChange,
    Status,
    StatusWithFrames,
)
from api.services import Services, ServicesDep
from contracts.cameras import Camera, CameraState, SourceSettings
from contracts.ids import derived_id
from vision.sequence_across import check_across

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="The same key and body again is answered with what was made at first",
    ),
]


async def desk_of(request: Request) -> CameraDesk:
    """Return the app's camera desk."""
    desk: CameraDesk = request.app.state.cameras
    return desk


DeskDep = Annotated[CameraDesk, Depends(desk_of)]
"""Parameter type with which a route asks for the camera desk."""


@router.post("", status_code=201, openapi_extra=ADMIN)
def add_camera(
    body: CameraBody,
    identity: IdentityDep,
    response: Response,
    services: ServicesDep,
    desk: DeskDep,
    idempotency_key: IdempotencyKey = None,
) -> CameraAnswer:
    """Add a camera; the stages take it up within seconds."""
    camera_id = body.id
    if camera_id is None and idempotency_key is not None:
        # Derived, so that a repeat finds the camera, also after a restart.
        camera_id = derived_id("cam", identity.user_id, idempotency_key)
    source = make_source(
        body.source.url.get_secret_value(),
        source_type=body.source.type,
        transport=body.source.transport,
        is_looped=body.source.looped,
        evidence_url=_secret(body.source.evidence_url) or "",
    )
    camera = Camera(
        camera_id=camera_id if camera_id is not None else desk.free_id(body.name),
        source=source,
        name=body.name,
        place=body.place,
        tags=tuple(body.tags),
        analysis_fps=body.analyze_fps,
        is_recorded=body.record,
        keeps_audio=body.audio,
        is_enabled=body.enabled,
    )
    stored = desk.add(camera, is_repeatable=idempotency_key is not None, identity=identity)
    response.headers["Location"] = f"/api/v1/cameras/{stored.camera_id}"
    return _answer(stored, services)


@router.get("", openapi_extra=ADMIN)
def list_cameras(
    services: ServicesDep,
    desk: DeskDep,
    tag: str | None = None,
    state: CameraState | None = None,
    cursor: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> CameraList:
    """List cameras by id, each with how it is doing."""
    found: list[CameraAnswer] = []
    for camera in desk.all():
        if camera.camera_id <= cursor or (tag is not None and tag not in camera.tags):
            continue
        answer = _answer(camera, services)
        if state is None or answer.status.state == state:
            found.append(answer)
        if len(found) > limit:
            break
    page = found[:limit]
    return CameraList(items=page, next_cursor=page[-1].id if len(found) > limit else None)


@router.get("/{camera_id}", openapi_extra=ADMIN)
def get_camera(camera_id: str, services: ServicesDep, desk: DeskDep) -> CameraAnswer:
    """Return one camera."""
    return _answer(desk.get(camera_id), services)


@router.patch("/{camera_id}", openapi_extra=ADMIN)
def change_camera(
    camera_id: str,
    body: CameraChange,
    identity: IdentityDep,
    services: ServicesDep,
    desk: DeskDep,
) -> CameraAnswer:
    """Change the fields given; the version goes up by one if anything differs."""

    def change(camera: Camera) -> Camera:
        return replace(
            camera,
            name=camera.name if body.name is None else body.name,
            place=camera.place if body.place is None else body.place,
            tags=camera.tags if body.tags is None else tuple(body.tags),
            analysis_fps=camera.analysis_fps if body.analyze_fps is None else body.analyze_fps,
            is_recorded=camera.is_recorded if body.record is None else body.record,
            keeps_audio=camera.keeps_audio if body.audio is None else body.audio,
            is_enabled=camera.is_enabled if body.enabled is None else body.enabled,
            source=_changed_source(camera.source, body.source) if body.source else camera.source,
        )

    return _answer(desk.change(camera_id, change, identity=identity), services)


@router.delete("/{camera_id}", status_code=204, openapi_extra=ADMIN)
def remove_camera(camera_id: str, identity: IdentityDep, desk: DeskDep) -> None:
    """Remove a camera; its alerts, events and evidence stay."""
    desk.remove(camera_id, identity=identity)


@router.get("/{camera_id}/status", openapi_extra=ADMIN)
def camera_status(camera_id: str, services: ServicesDep, desk: DeskDep) -> StatusWithFrames:
    """Say how a camera is doing and what became of each of its frames."""
    camera = desk.get(camera_id)
    status = _status(camera, services)
    account = services.ledger.account(camera_id)
    return StatusWithFrames(**status.model_dump(), frames=FrameCounts.of(account))


@router.get("/{camera_id}/scene", openapi_extra=ADMIN)
def get_scene(camera_id: str, desk: DeskDep) -> dict[str, Any]:
    """Return zones, lines and rules in the form of a rules file."""
    return dump_rules(desk.get(camera_id).scene)


@router.put("/{camera_id}/scene", openapi_extra=ADMIN)
def put_scene(
    camera_id: str,
    document: Annotated[dict[str, Any], Body()],
    identity: IdentityDep,
    services: ServicesDep,
    desk: DeskDep,
) -> dict[str, Any]:
    """Replace zones, lines and rules; everything wrong is listed at once."""
    camera = desk.get(camera_id)
    scene = SceneRulesParser("scene").parse(document)
    services.check_scene(scene)
    check_across(replace(camera, scene=scene), desk.all())
    changed = desk.change(camera_id, lambda camera: replace(camera, scene=scene), identity=identity)
    return dump_rules(changed.scene)


def _answer(camera: Camera, services: Services) -> CameraAnswer:
    return CameraAnswer.of(camera, _status(camera, services))


def _status(camera: Camera, services: Services) -> Status:
    said, view = status_of(camera, services.statuses, services.live_pictures, services.clock)
    return Status.of(said, view, now=services.clock.now())


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _changed_source(current: SourceSettings, change: SourceChange) -> SourceSettings:
    is_moved = change.url is not None
    evidence_url = _secret(change.evidence_url)
    url = change.url.get_secret_value() if change.url is not None else current.url
    return make_source(
        url,
        source_type=change.type or (None if is_moved else current.source_type),
        transport=change.transport or current.transport,
        is_looped=current.is_looped if change.looped is None else change.looped,
        evidence_url=current.evidence_url if evidence_url is None else evidence_url,
        current=current,
    )
