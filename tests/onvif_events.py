"""A device that says things by itself: subscriptions and messages, as cameras have them."""

import time
from collections import deque
from dataclasses import dataclass, field

from tests.onvif_device import OnvifServer, fault


def message(
    topic: str,
    value: str = "true",
    *,
    item: str = "State",
    source: str = "source-1",
    at: str = "2026-03-02T08:15:00Z",
) -> str:
    """One notification."""
    return (
        "<wsnt:NotificationMessage><wsnt:Topic "
        'Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f"{topic}</wsnt:Topic><wsnt:Message>"
        f'<tt:Message UtcTime="{at}" PropertyOperation="Changed"><tt:Source>'
        f'<tt:SimpleItem Name="Source" Value="{source}"/></tt:Source><tt:Data>'
        f'<tt:SimpleItem Name="{item}" Value="{value}"/></tt:Data></tt:Message>'
        "</wsnt:Message></wsnt:NotificationMessage>"
    )


@dataclass(kw_only=True, eq=False)
class TalkingServer(OnvifServer):
    """A device with events.

    Attributes:
        said: What each next question for messages is answered with; then nothing, at once.
        has_events: False answers the wish to subscribe with a fault.
        key: That it wants to see in each request to a subscription.
    """

    said: deque[str] = field(default_factory=deque)
    has_events: bool = True
    key: str = "<Id & 7>"

    def answer_to(self, content: str) -> tuple[int, bytes]:
        """Status and body for a request."""
        if any(name in content for name in ("PullMessages>", "wsnt:Renew>", "Unsubscribe/")):
            head = content.partition("Body>")[0]
            if "&lt;Id &amp; 7&gt;</Key>" not in head:
                return 400, fault("Sender", "InvalidArgVal", "no key")
        return super().answer_to(content)

    def _CreatePullPointSubscription(self, _body: str) -> str:  # noqa: N802  # ONVIF's names
        if not self.has_events:
            return "<s:Fault><s:Reason><s:Text>too many</s:Text></s:Reason></s:Fault>"
        return (
            "<x:CreatePullPointSubscriptionResponse xmlns:x='urn:x'><x:SubscriptionReference>"
            f"<a:Address>{self._named('/onvif/events/7')}</a:Address><a:ReferenceParameters>"
            '<v:Key xmlns:v="urn:vendor" kind="a&quot;b">&lt;Id &amp; 7&gt;</v:Key>'
            "</a:ReferenceParameters></x:SubscriptionReference>"
            "</x:CreatePullPointSubscriptionResponse>"
        )

    def _PullMessages(self, _body: str) -> str:  # noqa: N802
        if not self.said:
            time.sleep(0.05)
        said = self.said.popleft() if self.said else ""
        return f"<x:PullMessagesResponse xmlns:x='urn:x'>{said}</x:PullMessagesResponse>"

    def _Renew(self, _body: str) -> str:  # noqa: N802
        return "<x:RenewResponse xmlns:x='urn:x'/>"

    def _Unsubscribe(self, _body: str) -> str:  # noqa: N802
        return "<x:UnsubscribeResponse xmlns:x='urn:x'/>"
