import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver

from alerts.channels.signature import secret_key, signature_headers
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from tests.alerts.builders import SECRET


@given(st.dictionaries(st.text(), st.text()), st.binary(min_size=24, max_size=64))
def test_the_standards_own_receiver_accepts_our_signature(
    content: dict[str, str], key: bytes
) -> None:
    body = json.dumps(content).encode()
    secret = f"whsec_{base64.b64encode(key).decode()}"

    headers = signature_headers(body, message_id="ce_1", sent_at=SystemClock().now(), secret=secret)

    assert Receiver(secret).verify(body, headers) == content


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_short", SECRET.removeprefix("whsec_"), f"whsec_{'A' * 100}", "whsec_ß"],
)
def test_other_secrets_are_refused_without_being_echoed(secret: str) -> None:
    with pytest.raises(ConfigError, match="webhook secret: must be whsec_") as refusal:
        secret_key(secret)

    assert secret.removeprefix("whsec_") not in str(refusal.value) or len(secret) < 7
