"""The wire format of API tokens."""

from collections.abc import Sequence

from pydantic import Field

from alerts.history.ports import Credential
from alerts.payload import rfc3339
from api.schemas import Answer, Body


class TokenBody(Body):
    """An API token to make."""

    name: str = Field(min_length=1, max_length=100, description="What it is for")
    expires_in_days: int = Field(default=365, ge=1, le=3650)


class Token(Answer):
    """An API token, without its secret."""

    id: str
    name: str
    created_at: str | None
    expires_at: str | None
    last_used_at: str | None


class TokenCreated(Token):
    """An API token and, this once, the text to send as bearer."""

    token: str


class TokenList(Answer):
    """All API tokens, newest first."""

    items: list[Token]


def token_of(credential: Credential) -> Token:
    """Return a token's wire form."""
    return Token(
        id=credential.credential_id,
        name=credential.name,
        created_at=rfc3339(credential.created_at),
        expires_at=rfc3339(credential.expires_at),
        last_used_at=rfc3339(credential.last_used_at),
    )


def tokens_of(credentials: Sequence[Credential]) -> TokenList:
    """Return the wire form of all tokens."""
    return TokenList(items=[token_of(credential) for credential in credentials])
