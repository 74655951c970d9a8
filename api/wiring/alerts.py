"""The alerts stage: incidents and findings in, history and notifications out."""

from alerts.channels.webhook import WebhookChannel
from alerts.dispatcher import AlertDispatcher
from alerts.history.sql import migrate, open_history
from alerts.relay import WebhookRelay
from api.wiring.context import Part, StageContext


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    settings = context.settings
    migrate(context.database_url)
    history = open_history(context.database_url)
    dispatcher = AlertDispatcher(
        context.work_queue("dispatch"),
        history.alerts,
        cameras=history.cameras,
        settings=settings.alerts,
        deadline_s=settings.reasoning.deadline_s,
        clock=context.clock,
    )
    relay = WebhookRelay(
        history.deliveries,
        WebhookChannel(settings.alerts, clock=context.clock),
        timeout_s=settings.alerts.webhook_timeout_s,
        clock=context.clock,
    )
    return [("dispatch", dispatcher.run), ("webhooks", relay.run)]
