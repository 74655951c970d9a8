"""API tokens: made, listed and revoked; their text is shown once."""

from fastapi import APIRouter

from api.access import ADMIN, IdentityDep
from api.problems import not_found
from api.routes.sign_in import SignInDep
from api.token_schemas import TokenBody, TokenCreated, TokenList, token_of, tokens_of

router = APIRouter(prefix="/api/v1/tokens", tags=["sign-in"])


@router.post("", status_code=201, openapi_extra=ADMIN)
def create_token(body: TokenBody, identity: IdentityDep, sign_in: SignInDep) -> TokenCreated:
    """Make an API token; send it as ``Authorization: Bearer vgl_...``."""
    made = sign_in.create_token(identity, body.name, life_days=body.expires_in_days)
    return TokenCreated(**token_of(made.credential).model_dump(), token=made.text)


@router.get("", openapi_extra=ADMIN)
def list_tokens(sign_in: SignInDep) -> TokenList:
    """List all API tokens, newest first."""
    return tokens_of(sign_in.tokens())


@router.delete("/{token_id}", status_code=204, openapi_extra=ADMIN)
def revoke_token(token_id: str, sign_in: SignInDep) -> None:
    """Revoke an API token at once."""
    if not sign_in.revoke_token(token_id):
        raise not_found("token")
