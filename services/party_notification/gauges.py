"""What the operators watch: messages whose fate nobody knows, messages that should have left, notices that wait."""

from sqlalchemy import case, func, literal_column, select

from services.party_notification.store.sending import may_go
from services.party_notification.store.tables import deliveries, messages, notices, sms_templates
from shared.runtime.gauges import SqlGauge, seconds_since

_FOR_PERSON = deliveries.c.step == "person"
_BEING_ASKED = deliveries.c.due_at.is_not(None) & (deliveries.c.state == "unknown")
_HANDLING = case((_FOR_PERSON, literal_column("'person'")), else_=literal_column("'machine'"))
GAUGES = (
    SqlGauge(
        "deliveries_unknown",
        "Messages of which nobody knows whether they left: still asked after, or before a person.",
        select(deliveries.c.channel, _HANDLING, func.count())
        .where(_FOR_PERSON | _BEING_ASKED)
        .group_by(deliveries.c.channel, _HANDLING),
        ("channel", "handling"),
    ),
    SqlGauge(
        "deliveries_overdue_seconds",
        "How long the oldest message that is due has not been sent.",
        select(deliveries.c.channel, seconds_since(func.min(deliveries.c.due_at)))
        .join(messages, messages.c.message_id == deliveries.c.message_id)
        .where(deliveries.c.step == "send", deliveries.c.due_at < func.clock_timestamp(), may_go())
        .group_by(deliveries.c.channel),
        ("channel",),
    ),
    SqlGauge(
        "notices_waiting",
        "Notices that are owed and lack a field, by whose part it is to supply it.",
        select(notices.c.waits_owner, func.count())
        .where(notices.c.state == "waiting", notices.c.waits_owner.is_not(None))
        .group_by(notices.c.waits_owner),
        ("owner",),
    ),
    SqlGauge(
        "sms_templates_unapproved",
        "SMS wordings that the carrier has not approved: their messages wait.",
        select(func.count()).where(sms_templates.c.approved_at.is_(None)),
    ),
)
