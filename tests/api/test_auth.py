import pytest

from alerts.history.ports import User
from api.access import Identity
from api.auth import SignIn, ensure_admin, make_sign_in_link
from api.problems import Refusal
from tests.fakes.archive import InMemoryHistory
from tests.fakes.clock import ManualClock
from tests.fakes.web import CHEAP_HASHER

PASSWORD = "correct horse battery"  # noqa: S105  # of a test's user
ADDRESS = "198.51.100.7"


class Desk:
    """A sign-in over memory with an administrator."""

    def __init__(self) -> None:
        self.store = InMemoryHistory()
        self.clock = ManualClock()
        self.sign_in = SignIn(self.store, self.clock, session_hours=12, hasher=CHEAP_HASHER)
        ensure_admin(self.store, self.clock)

    def link(self) -> str:
        return make_sign_in_link(self.store, self.clock, "http://x").partition("#link=")[2]

    def with_password(self) -> Identity:
        identity = self.sign_in.by_link(self.link()).identity
        self.sign_in.set_password(identity, PASSWORD, current="", address=ADDRESS)
        return identity

    def try_password(self, password: str, *, name: str = "admin", address: str = ADDRESS) -> int:
        """Return the status that an attempt gets; 200 if it succeeds."""
        try:
            self.sign_in.by_password(name, password, address=address)
        except Refusal as refusal:
            return refusal.problem.status
        return 200


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_link_carries_its_secret_in_the_fragment(desk: Desk) -> None:
    link = make_sign_in_link(desk.store, desk.clock, "http://127.0.0.1:8480/")

    before, _, after = link.partition("#")
    assert before == "http://127.0.0.1:8480/sign-in"
    assert after.startswith("link=")


def test_a_link_signs_in_once(desk: Desk) -> None:
    link = desk.link()

    assert desk.sign_in.by_link(link).identity.role == "admin"
    with pytest.raises(Refusal, match="used"):
        desk.sign_in.by_link(link)


def test_a_wrong_secret_does_not_use_up_the_link(desk: Desk) -> None:
    link = desk.link()
    link_id = link.partition(".")[0]

    with pytest.raises(Refusal):
        desk.sign_in.by_link(f"{link_id}.{'0' * 64}")

    assert desk.sign_in.by_link(link).cookie


@pytest.mark.parametrize(
    ("hours", "is_valid"),
    [pytest.param(23.9, True, id="a day"), pytest.param(24.0, False, id="and no longer")],
)
def test_a_link_holds_for_a_day(desk: Desk, hours: float, is_valid: bool) -> None:
    link = desk.link()
    desk.clock.advance(hours * 3600)

    if is_valid:
        assert desk.sign_in.by_link(link).cookie
    else:
        with pytest.raises(Refusal):
            desk.sign_in.by_link(link)


@pytest.mark.parametrize("junk", ["", ".", "x", "link_1.", "session_1.00", "\x00.\x00", "é.é"])
def test_junk_is_no_link(desk: Desk, junk: str) -> None:
    with pytest.raises(Refusal):
        desk.sign_in.by_link(junk)


def test_no_secret_is_stored(desk: Desk) -> None:
    link = desk.link()
    session = desk.sign_in.by_link(link)
    token = desk.sign_in.create_token(session.identity, "script", life_days=1)

    stored = repr(desk.store.saved_credentials)
    for text in (link, session.cookie, token.text):
        assert text.replace("_", ".").rpartition(".")[2] not in stored


def test_a_session_ends_after_its_hours(desk: Desk) -> None:
    session = desk.sign_in.by_link(desk.link())
    desk.clock.advance(12 * 3600 - 1)
    assert desk.sign_in.identify(session.cookie, "")

    desk.clock.advance(1)

    assert desk.sign_in.identify(session.cookie, "") is None
    assert not desk.sign_in.is_valid(session.identity)


def test_signing_out_ends_the_session(desk: Desk) -> None:
    session = desk.sign_in.by_link(desk.link())

    desk.sign_in.sign_out(session.identity)

    assert desk.sign_in.identify(session.cookie, "") is None


def test_a_link_is_no_session_and_a_session_is_no_token(desk: Desk) -> None:
    link = desk.link()
    cookie = desk.sign_in.by_link(desk.link()).cookie
    as_bearer = "vgl_" + cookie.partition("_")[2].replace(".", "_")

    assert desk.sign_in.identify(link, "") is None
    assert desk.sign_in.identify("", as_bearer) is None


def test_expired_sessions_are_cleared_when_somebody_signs_in(desk: Desk) -> None:
    desk.sign_in.by_link(desk.link())
    desk.clock.advance(25 * 3600)

    desk.sign_in.by_link(desk.link())

    assert len(desk.store.credentials(kind="session")) == 1


def test_a_password_signs_in(desk: Desk) -> None:
    desk.with_password()

    assert desk.try_password(PASSWORD) == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("admin", "wrong", id="wrong password"),
        pytest.param("nobody", PASSWORD, id="unknown name"),
        pytest.param("", PASSWORD, id="no name"),
    ],
)
def test_what_is_wrong_is_not_told(desk: Desk, name: str, password: str) -> None:
    desk.with_password()

    with pytest.raises(Refusal, match=r"^name or password is wrong$"):
        desk.sign_in.by_password(name, password, address=ADDRESS)


def test_nobody_signs_in_while_no_password_is_set(desk: Desk) -> None:
    assert desk.try_password("") == 401


def test_an_unknown_name_costs_a_hash_as_well() -> None:
    checked: list[str] = []

    class CountingHasher(type(CHEAP_HASHER)):  # type: ignore[misc]  # the library's class, in a variable
        def verify(self, hash: str, password: str) -> bool:  # the library's name
            checked.append(hash)
            return bool(super().verify(hash, password))

    store, clock = InMemoryHistory(), ManualClock()
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    sign_in = SignIn(store, clock, session_hours=12, hasher=hasher)

    with pytest.raises(Refusal):
        sign_in.by_password("nobody", "x", address=ADDRESS)

    assert len(checked) == 1


def test_five_attempts_a_minute_then_a_wait(desk: Desk) -> None:
    desk.with_password()

    statuses = [desk.try_password("wrong") for _ in range(6)]

    assert statuses == [401] * 5 + [429]
    assert desk.try_password(PASSWORD) == 429, "the right one has to wait as well"


def test_another_address_or_name_is_not_held_up(desk: Desk) -> None:
    desk.with_password()
    for _ in range(6):
        desk.try_password("wrong")

    assert desk.try_password(PASSWORD, address="203.0.113.9") == 200
    assert desk.try_password("wrong", name="other") == 401


def test_a_password_of_a_heavier_or_lighter_cost_is_hashed_anew(desk: Desk) -> None:
    other = type(CHEAP_HASHER)(time_cost=2, memory_cost=16, parallelism=1)
    old = other.hash(PASSWORD)
    desk.store.save_user(User(user_id="us_admin", name="admin", role="admin", password_hash=old))

    assert desk.try_password(PASSWORD) == 200

    user = desk.store.user("us_admin")
    assert user is not None
    assert user.password_hash != old
    assert desk.try_password(PASSWORD) == 200


def test_setting_a_password_ends_the_other_sessions(desk: Desk) -> None:
    other = desk.sign_in.by_link(desk.link())
    mine = desk.sign_in.by_link(desk.link())

    desk.sign_in.set_password(mine.identity, PASSWORD, current="", address=ADDRESS)

    assert desk.sign_in.identify(other.cookie, "") is None
    assert desk.sign_in.identify(mine.cookie, "") is not None


def test_changing_a_password_needs_the_current_one(desk: Desk) -> None:
    desk.with_password()
    mine = desk.sign_in.by_password("admin", PASSWORD, address=ADDRESS).identity

    with pytest.raises(Refusal, match="current password"):
        desk.sign_in.set_password(mine, "another password", current="guess", address=ADDRESS)

    desk.sign_in.set_password(mine, "another password", current=PASSWORD, address=ADDRESS)
    assert desk.try_password("another password") == 200


def test_a_forgotten_password_is_replaced_after_a_link(desk: Desk) -> None:
    desk.with_password()
    by_link = desk.sign_in.by_link(desk.link()).identity

    desk.sign_in.set_password(by_link, "another password", current="", address=ADDRESS)

    assert desk.try_password("another password") == 200


@pytest.mark.parametrize("length", [0, 11, 257])
def test_a_password_has_12_to_256_characters(desk: Desk, length: int) -> None:
    identity = desk.sign_in.by_link(desk.link()).identity

    with pytest.raises(Refusal, match="12 to 256"):
        desk.sign_in.set_password(identity, "x" * length, current="", address=ADDRESS)


def test_a_token_stands_for_its_maker_until_revoked(desk: Desk) -> None:
    identity = desk.sign_in.by_link(desk.link()).identity
    token = desk.sign_in.create_token(identity, "grafana", life_days=30)

    found = desk.sign_in.identify("", token.text)
    assert found is not None
    assert (found.kind, found.user_id, found.how) == ("token", identity.user_id, "grafana")

    assert desk.sign_in.revoke_token(token.credential.credential_id)
    assert desk.sign_in.identify("", token.text) is None
    assert not desk.sign_in.revoke_token(token.credential.credential_id)


def test_a_token_expires(desk: Desk) -> None:
    identity = desk.sign_in.by_link(desk.link()).identity
    token = desk.sign_in.create_token(identity, "grafana", life_days=1)

    desk.clock.advance(24 * 3600)

    assert desk.sign_in.identify("", token.text) is None


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(desk: Desk) -> None:
    identity = desk.sign_in.by_link(desk.link()).identity
    token = desk.sign_in.create_token(identity, "grafana", life_days=1)
    first = desk.clock.now()
    for _ in range(3):
        desk.sign_in.identify("", token.text)
        desk.clock.advance(20)

    [stored] = desk.sign_in.tokens()
    assert stored.last_used_at == first


def test_a_token_cannot_set_the_password(desk: Desk) -> None:
    identity = desk.sign_in.by_link(desk.link()).identity
    token = desk.sign_in.create_token(identity, "grafana", life_days=1)
    as_token = desk.sign_in.identify("", token.text)
    assert as_token is not None

    with pytest.raises(Refusal, match="API token"):
        desk.sign_in.set_password(as_token, PASSWORD, current="", address=ADDRESS)
