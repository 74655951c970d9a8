"""Signing in: one-time links, passwords, sessions and API tokens.

Secrets are 256 random bits; the store has only their SHA-256, which is enough for random values.
Passwords are hashed with Argon2id.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from alerts.history.ports import Credential, SignInStore, User
from api.access import Identity
from api.metrics import SIGN_INS
from api.problems import Refusal, bad_field
from api.throttle import SignInThrottle
from contracts.clock import Clock
from contracts.ids import new_id

log = structlog.get_logger()

ADMIN_NAME: Final = "admin"
_ADMIN_ID: Final = "us_admin"
_LINK_LIFE: Final = timedelta(hours=24)
_TOKEN_LIFE_MAX_DAYS: Final = 3650
_PASSWORD_MIN: Final = 12
_PASSWORD_MAX: Final = 256
_USED_EVERY: Final = timedelta(minutes=1)
"""How often ``last_used_at`` of a token is written; more often would be a write per request."""
_HASHES_AT_ONCE: Final = 2
"""Argon2 takes 46 MiB each; more at once would let strangers use up memory and cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that has just begun; ``cookie`` is its secret and is never stored."""

    identity: Identity
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """An API token that has just been made; ``text`` is shown once."""

    credential: Credential
    text: str


def ensure_admin(store: SignInStore, clock: Clock) -> User:
    """Return the administrator, made (without a password) if there is none yet."""
    del clock
    user = store.user(_ADMIN_ID)
    if user is None:
        user = User(user_id=_ADMIN_ID, name=ADMIN_NAME, role="admin")
        store.save_user(user)
    return user


def make_sign_in_link(store: SignInStore, clock: Clock, base_url: str) -> str:
    """Return a link that signs the administrator in once, within 24 hours.

    The secret stands in the fragment, which browsers send to nobody: it reaches no log of a
    server or proxy.

    Args:
        store: Where the administrator and the link's hash are kept.
        clock: When its life begins.
        base_url: How browsers reach this server, for instance ``http://127.0.0.1:8480``.
    """
    user = ensure_admin(store, clock)
    credential, secret = _new_credential(
        clock, kind="link", user_id=user.user_id, name="start", life=_LINK_LIFE
    )
    store.save_credential(credential)
    return f"{base_url.rstrip('/')}/sign-in#link={credential.credential_id}.{secret}"


class SignIn:
    """Says who somebody is, and begins and ends sessions.

    Args:
        session_hours: Life of a session; it is not prolonged by use.
        hasher: Argon2id with its cost; OWASP's second choice (46 MiB, one pass) by default.
    """

    def __init__(
        self,
        store: SignInStore,
        clock: Clock,
        *,
        session_hours: float,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._session_life = timedelta(hours=session_hours)
        self._hasher = hasher or PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
        # Checked when there is no such user, so that the answer takes as long as for a wrong one.
        self._nobody_hash = self._hasher.hash(secrets.token_urlsafe(16))
        self._throttle = SignInThrottle(clock)
        self._hash_slots = threading.Semaphore(_HASHES_AT_ONCE)
        # Noting the use of a token must not bring back one that is revoked at the same moment.
        self._token_lock = threading.Lock()

    def by_link(self, link: str) -> NewSession:
        """Begin a session with a one-time link's ``<id>.<secret>``.

        Raises:
            Refusal: 401, it is unknown, used or expired.
        """
        credential = self._checked("link", *_split(link))
        # Taken only now: a wrong secret must not use up somebody's link.
        taken = self._store.take_credential(credential.credential_id) if credential else None
        user = self._store.user(taken.user_id) if taken else None
        if user is None:
            SIGN_INS.labels("link", "refused").inc()
            raise Refusal(
                401,
                "link-not-valid",
                "this link is unknown, used or expired; 'vigil sign-in-link' prints another",
            )
        return self._begin(user, how="link")

    def by_password(self, name: str, password: str, *, address: str) -> NewSession:
        """Begin a session with name and password; takes as long for names that do not exist.

        Args:
            name: As typed; unknown names are treated like wrong passwords.
            password: As typed.
            address: Whence the request came, for the limit on attempts.

        Raises:
            Refusal: 401 wrong, 429 too many attempts. Neither says which names exist.
        """
        key = f"{name.casefold()[:100]}\x1f{address}"
        self._throttle.attempt(key)
        user = self._store.user_named(name)
        known_hash = user.password_hash if user and user.password_hash else self._nobody_hash
        is_right = self._verify(known_hash, password)
        if user is None or not user.password_hash or not is_right:
            SIGN_INS.labels("password", "refused").inc()
            log.warning("sign-in refused", address=address)
            raise Refusal(401, "sign-in-refused", "name or password is wrong")
        self._throttle.succeed(key)
        if self._hasher.check_needs_rehash(user.password_hash):
            user = replace(user, password_hash=self._hasher.hash(password))
            self._store.save_user(user)
        return self._begin(user, how="password")

    def identify(self, cookie: str, bearer: str) -> Identity | None:
        """Return whom a session cookie or an API token (``vgl_<id>_<secret>``) stands for."""
        if bearer:
            return self._identify_token(bearer)
        return self._identity(self._checked("session", *_split(cookie))) if cookie else None

    def is_valid(self, identity: Identity) -> bool:
        """Say whether the identity's session or token still holds: a live stream asks again."""
        credential = self._store.credential(identity.credential_id)
        return credential is not None and credential.expires_at > self._clock.now()

    def sign_out(self, identity: Identity) -> None:
        """End the session; nothing happens for an API token."""
        if identity.kind == "session":
            self._store.take_credential(identity.credential_id)

    def set_password(
        self, identity: Identity, password: str, *, current: str, address: str
    ) -> None:
        """Set the caller's password and end all other sessions of theirs.

        The current password is needed unless there is none, or the session came from a one-time
        link (which only who runs this machine can make): that is how a forgotten one is replaced.

        Raises:
            Refusal: 403 for an API token or a wrong current password, 422 for a poor new one.
        """
        if identity.kind != "session":
            raise Refusal(403, "forbidden", "an API token cannot set a password; sign in")
        user = self._store.user(identity.user_id)
        if user is None:
            raise Refusal(403, "forbidden", "this user is gone")
        if user.password_hash and identity.how != "link":
            key = f"{user.user_id}\x1f{address}\x1fset"
            self._throttle.attempt(key)
            if not self._verify(user.password_hash, current):
                raise Refusal(403, "wrong-password", "the current password is wrong")
            self._throttle.succeed(key)
        if not _PASSWORD_MIN <= len(password) <= _PASSWORD_MAX:
            raise bad_field("password", f"needs {_PASSWORD_MIN} to {_PASSWORD_MAX} characters")
        with self._hash_slots:
            self._store.save_user(replace(user, password_hash=self._hasher.hash(password)))
        for credential in self._store.credentials(kind="session"):
            is_other = credential.credential_id != identity.credential_id
            if credential.user_id == user.user_id and is_other:
                self._store.take_credential(credential.credential_id)

    def create_token(self, identity: Identity, name: str, *, life_days: int) -> NewToken:
        """Make an API token with the caller's rights.

        Raises:
            Refusal: 422, ``life_days`` is not in 1..3650.
        """
        if not 1 <= life_days <= _TOKEN_LIFE_MAX_DAYS:
            raise bad_field("expires_in_days", f"must be in 1..{_TOKEN_LIFE_MAX_DAYS}")
        credential, secret = _new_credential(
            self._clock,
            kind="token",
            user_id=identity.user_id,
            name=name,
            life=timedelta(days=life_days),
        )
        self._store.save_credential(credential)
        bare_id = credential.credential_id.partition("_")[2]
        return NewToken(credential=credential, text=f"vgl_{bare_id}_{secret}")

    def tokens(self) -> Sequence[Credential]:
        """Return all API tokens, newest first; their secrets are nowhere."""
        return self._store.credentials(kind="token")

    def revoke_token(self, credential_id: str) -> bool:
        """End an API token at once; False if there is none of that id."""
        with self._token_lock:
            credential = self._store.credential(credential_id)
            if credential is None or credential.kind != "token":
                return False
            return self._store.take_credential(credential_id) is not None

    def _begin(self, user: User, *, how: str) -> NewSession:
        self._remove_expired()
        credential, secret = _new_credential(
            self._clock, kind="session", user_id=user.user_id, name=how, life=self._session_life
        )
        self._store.save_credential(credential)
        SIGN_INS.labels(how, "accepted").inc()
        log.info("signed in", user_id=user.user_id, how=how)
        return NewSession(
            identity=_identity(credential, user), cookie=f"{credential.credential_id}.{secret}"
        )

    def _identify_token(self, text: str) -> Identity | None:
        prefix, _, rest = text.partition("_")
        bare_id, _, secret = rest.partition("_")
        if prefix != "vgl":
            return None
        credential = self._checked("token", f"token_{bare_id}", secret)
        if credential is None:
            return None
        now = self._clock.now()
        if credential.last_used_at is None or now - credential.last_used_at >= _USED_EVERY:
            with self._token_lock:
                if self._store.credential(credential.credential_id) is None:
                    return None
                self._store.save_credential(replace(credential, last_used_at=now))
        return self._identity(credential)

    def _checked(self, kind: str, credential_id: str, secret: str) -> Credential | None:
        credential = self._store.credential(credential_id)
        if credential is None or credential.kind != kind:
            return None
        is_right = hmac.compare_digest(credential.secret_sha256, _sha256(secret))
        return credential if is_right and credential.expires_at > self._clock.now() else None

    def _identity(self, credential: Credential | None) -> Identity | None:
        user = self._store.user(credential.user_id) if credential else None
        return _identity(credential, user) if credential and user else None

    def _verify(self, password_hash: str, password: str) -> bool:
        if not self._hash_slots.acquire(timeout=2.0):
            raise Refusal(
                503,
                "temporarily-unavailable",
                "too many sign-ins at once; try again",
                headers={"Retry-After": "2"},
            )
        try:
            return self._hasher.verify(password_hash, password[:_PASSWORD_MAX])
        except (Argon2Error, InvalidHashError):
            return False
        finally:
            self._hash_slots.release()

    def _remove_expired(self) -> None:
        now = self._clock.now()
        for kind in ("session", "link"):
            for credential in self._store.credentials(kind=kind):
                if credential.expires_at <= now:
                    self._store.take_credential(credential.credential_id)


def _new_credential(
    clock: Clock, *, kind: str, user_id: str, name: str, life: timedelta
) -> tuple[Credential, str]:
    """Return a credential (``<kind>_<96 bits>``) and its secret in hexadecimal."""
    secret = secrets.token_hex(32)
    now = clock.now()
    credential = Credential(
        credential_id=new_id(kind),
        kind=kind,
        user_id=user_id,
        secret_sha256=_sha256(secret),
        name=name,
        created_at=now,
        expires_at=now + life,
    )
    return credential, secret


def _identity(credential: Credential, user: User) -> Identity:
    return Identity(
        user_id=user.user_id,
        name=user.name,
        role=user.role,
        credential_id=credential.credential_id,
        kind=credential.kind,
        how=credential.name,
        expires_at=credential.expires_at,
    )


def _split(text: str) -> tuple[str, str]:
    credential_id, _, secret = text.partition(".")
    return credential_id, secret


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
