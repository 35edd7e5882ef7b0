"""What party_notification does by itself: sends, asks, sends again. Each job works on while anything is due."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from services.party_notification.channels.mail import Mailer, MailServer, Tls
from services.party_notification.channels.sms import AliyunAccount, AliyunSms, sms_client
from services.party_notification.usecases import (
    addresses,
    disowning,
    doors,
    holding,
    pagewriting,
    readings,
    receipts,
    reconciling,
    registering,
    sending,
)
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.outgoing import SEND_SIGNAL, TEMPLATE_SIGNAL
from services.party_notification.usecases.readiness import require_channels
from shared.clock import SystemClock
from shared.runtime.secrets import kept
from shared.runtime.service import MORE, Job

_SOON = timedelta(milliseconds=500)
_LATER = timedelta(seconds=5)
_MINUTE = timedelta(minutes=1)
_STEPS = 10


class Channels:
    """The two ways out."""

    def __init__(self, kit: NotificationKit) -> None:
        settings = kit.settings
        secret = settings.carrier_key_secret or kept(kit.run, "carrier_secret.txt", lambda: secrets.token_urlsafe(24))
        url = settings.carrier_url or f"{kit.run.sandbox_url or kit.run.base_url}/sandbox/carrier"
        account = AliyunAccount(url, settings.carrier_key_id, secret, kit.court.short_name)
        self.client = sms_client(settings.send_timeout)
        # Signatures carry real time: the carrier refuses a clock that runs ahead.
        self.sms = AliyunSms(self.client, account, SystemClock(), settings.send_timeout)
        self.mailer = Mailer(mail_server(kit), settings.mails_at_once, settings.send_timeout)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(self.client.aclose(), self.mailer.close())


def mail_server(kit: NotificationKit) -> MailServer:
    """Where and as whom mail is handed over."""
    settings = kit.settings
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port or kit.run.smtp_port,
        tls=Tls(settings.smtp_tls),
        username=settings.smtp_username or None,
        password=settings.smtp_password if settings.smtp_username else None,
        helo=settings.smtp_helo or settings.mail_domain,
    )


def jobs(kit: NotificationKit) -> Sequence[Job]:
    """All of them."""
    require_channels(kit)
    channels = Channels(kit)
    sms, mailer = channels.sms, channels.mailer
    return (
        Job(
            "register SMS templates",
            _LATER,
            lambda: sending.register_templates(kit, sms),
            TEMPLATE_SIGNAL,
            channels.close,
        ),
        Job("send SMS", _SOON, _until_done(lambda: sending.send_sms_batch(kit, sms)), SEND_SIGNAL),
        Job("send mail", _SOON, _until_done(lambda: sending.send_mails(kit, mailer)), SEND_SIGNAL),
        Job("settle due cases", _SOON, _until_done(lambda: holding.settle_due(kit))),
        Job("weigh readings", _SOON, _until_done(lambda: readings.weigh(kit)), readings.READ_SIGNAL),
        Job("make doors", _SOON, _until_done(lambda: doors.make_door(kit)), doors.DOOR_SIGNAL),
        Job("write pages", _SOON, _until_done(lambda: pagewriting.write_pages(kit)), doors.PAGE_SIGNAL),
        Job("fold receipts", _SOON, _until_done(lambda: receipts.fold_post(kit)), receipts.RECEIPT_SIGNAL),
        Job("follow disownings", _SOON, _until_done(lambda: disowning.follow(kit)), disowning.DISOWN_SIGNAL),
        Job("list contacts", _SOON, _until_done(lambda: registering.list_contacts(kit)), registering.CONTACT_SIGNAL),
        Job("hash codes anew", _MINUTE, _until_done(lambda: doors.hash_anew(kit))),
        Job("mark addresses", _MINUTE, _until_done(lambda: addresses.mark_ends(kit))),
        Job("expire intents", _SOON, _until_done(lambda: sending.expire_intents(kit))),
        Job("doubt what a backup brought back", _LATER, _until_done(lambda: reconciling.doubt_restored(kit))),
        Job("send mails again", _SOON, _until_done(lambda: sending.resend_mails(kit))),
        Job("reconcile SMS", _SOON, _until_done(lambda: reconciling.reconcile_sms(kit, sms))),
    )


def _until_done(step: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[object]]:
    async def run() -> object:
        for _ in range(_STEPS):
            if not await step():
                return None
        return MORE  # the lag shows progress in between

    return run
