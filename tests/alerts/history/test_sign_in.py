from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.history.ports import Credential, User
from alerts.history.sql import History
from contracts.errors import ConfigError
from tests.fakes.clock import START

ADMIN = User(user_id="us_1", name="admin", role="admin", password_hash="hash")  # noqa: S106  # no hash of anything


def credential(credential_id: str = "cr_1", *, kind: str = "session", at_s: int = 0) -> Credential:
    return Credential(
        credential_id=credential_id,
        kind=kind,
        user_id="us_1",
        secret_sha256="0" * 64,
        name="browser",
        created_at=START + timedelta(seconds=at_s),
        expires_at=START + timedelta(hours=12),
    )


def test_a_user_is_found_by_id_and_by_name(history: History) -> None:
    history.sign_in.save_user(ADMIN)

    assert history.sign_in.user("us_1") == ADMIN
    assert history.sign_in.user_named("admin") == ADMIN
    assert history.sign_in.user("us_2") is None
    assert history.sign_in.user_named("Admin") is None


def test_saving_a_user_replaces(history: History) -> None:
    history.sign_in.save_user(ADMIN)
    renewed = replace(ADMIN, password_hash="new hash")  # noqa: S106  # no hash of anything

    history.sign_in.save_user(renewed)

    assert history.sign_in.user("us_1") == renewed


def test_a_name_belongs_to_one_user(history: History) -> None:
    history.sign_in.save_user(ADMIN)

    with pytest.raises(ConfigError, match="'admin' is taken"):
        history.sign_in.save_user(replace(ADMIN, user_id="us_2"))


def test_a_credential_comes_back_and_is_replaced(history: History) -> None:
    history.sign_in.save_credential(credential())
    used = replace(credential(), last_used_at=START + timedelta(minutes=1))

    history.sign_in.save_credential(used)

    assert history.sign_in.credential("cr_1") == used
    assert history.sign_in.credential("cr_2") is None


def test_credentials_of_a_kind_are_listed_newest_first(history: History) -> None:
    history.sign_in.save_credential(credential("cr_1"))
    history.sign_in.save_credential(credential("cr_2", at_s=5))
    history.sign_in.save_credential(credential("cr_3", kind="token"))

    listed = [item.credential_id for item in history.sign_in.credentials(kind="session")]

    assert listed == ["cr_2", "cr_1"]


def test_of_many_who_take_a_link_at_once_one_gets_it(history: History) -> None:
    history.sign_in.save_credential(credential(kind="link"))

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: history.sign_in.take_credential("cr_1"), range(8)))

    assert [item for item in taken if item] == [credential(kind="link")]
    assert history.sign_in.credential("cr_1") is None
