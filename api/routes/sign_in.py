"""Signing in and out, one's own account."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from alerts.payload import rfc3339
from api.access import ADMIN, PUBLIC, Identity, IdentityDep
from api.auth import NewSession, SignIn
from api.problems import bad_field
from api.schemas import Me, PasswordBody, SignInBody
from api.services import Services, ServicesDep

router = APIRouter(prefix="/api/v1", tags=["sign-in"])


async def sign_in_of(request: Request) -> SignIn:
    """Return the app's sign-in."""
    sign_in: SignIn = request.app.state.sign_in
    return sign_in


SignInDep = Annotated[SignIn, Depends(sign_in_of)]
"""Parameter type with which a route asks for the sign-in."""


def cookie_name(*, is_secure: bool) -> str:
    """Return the session cookie's name; ``__Host-`` binds it to this host and to HTTPS."""
    return "__Host-vigil_session" if is_secure else "vigil_session"


@router.post("/sign-in", openapi_extra=PUBLIC)
def begin_session(
    body: SignInBody,
    request: Request,
    response: Response,
    services: ServicesDep,
    sign_in: SignInDep,
) -> Me:
    """Begin a session with a one-time link or a password; the answer sets the session cookie."""
    address = request.client.host if request.client else ""
    if body.link is not None:
        session = sign_in.by_link(body.link.get_secret_value())
    elif body.name:
        session = sign_in.by_password(body.name, body.password.get_secret_value(), address=address)
    else:
        raise bad_field("name", "give a link, or a name and a password")
    _set_cookie(response, session, services)
    return _me(session.identity, services)


@router.post("/sign-out", status_code=204, openapi_extra=ADMIN)
def end_session(
    identity: IdentityDep, response: Response, services: ServicesDep, sign_in: SignInDep
) -> None:
    """End this session."""
    sign_in.sign_out(identity)
    secure = services.settings.secure_cookies
    response.delete_cookie(
        cookie_name(is_secure=secure), path="/", secure=secure, httponly=True, samesite="lax"
    )


@router.get("/me", openapi_extra=ADMIN)
def who_am_i(identity: IdentityDep, services: ServicesDep) -> Me:
    """Say who is signed in."""
    return _me(identity, services)


@router.put("/me/password", status_code=204, openapi_extra=ADMIN)
def set_password(
    body: PasswordBody, identity: IdentityDep, request: Request, sign_in: SignInDep
) -> None:
    """Set one's password and end one's other sessions."""
    sign_in.set_password(
        identity,
        body.password.get_secret_value(),
        current=body.current_password.get_secret_value(),
        address=request.client.host if request.client else "",
    )


def _set_cookie(response: Response, session: NewSession, services: Services) -> None:
    secure = services.settings.secure_cookies
    response.set_cookie(
        cookie_name(is_secure=secure),
        session.cookie,
        max_age=int(services.settings.session_hours * 3600),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _me(identity: Identity, services: Services) -> Me:
    user = services.sign_in.user(identity.user_id)
    return Me(
        user_id=identity.user_id,
        name=identity.name,
        role=identity.role,
        signed_in_by=identity.how,
        expires_at=rfc3339(identity.expires_at) or "",
        has_password=bool(user and user.password_hash),
    )
