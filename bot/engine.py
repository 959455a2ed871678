"""The dialogue engine: a Rasa agent with its actions in the same process.

Six pieces of Rasa are replaced by subclasses, nothing is patched. A turn of the stock agent is dominated by
a check of a constant JSON schema at every action, by dask's scheduler, and by the search for an event's class
at every event that is read back; `benchmarks/turn.py` measures both.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import re
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")

import sqlalchemy as sa
import structlog
from rasa.core.actions.action import (
    Action,
    ActionBotResponse,
    ActionSessionStart,
    RemoteAction,
    action_for_name_or_text,
)
from rasa.core.actions.forms import FormAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.engine import loader
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata, ModelStorage
from rasa.exceptions import ActionLimitReached
from rasa.shared.core.constants import ACTION_SESSION_START_NAME, DEFAULT_INTENTS, REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from actions import client, recognition
from bot.errors import NotBegun, Unreachable
from bot.events import EventStream
from bot.locks import RedisLocks
from bot.logs import reserved_event
from bot.sealing import Sealer
from bot.settings import BotSettings

log = logging.getLogger(__name__)

SAID_NOTHING = "抱歉，我刚才没能处理好这句话，请换个说法再说一次，也可以直接说“转人工”。"
_PAYLOAD = re.compile(r"^/([a-z_]+)(\{.*\})?$", re.DOTALL)
_MAX_EVENTS = 400
_KEPT_EVENTS = 10_000
_UNDERSTOOD_CHARS = 2000
_ANSWER_SECONDS = 1.5
_CONNECT_SECONDS = 2


# ------------------------------------------------------------------------------------------------ actions


class LocalActions(EndpointConfig):  # type: ignore[misc]
    """The action endpoint of an agent, answered in this process instead of over HTTP."""

    def __init__(self, package: str = "actions") -> None:
        super().__init__(url="local:actions", enable_selective_domain=True)
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(
        self, method: str = "post", subpath: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Runs an action; its refusals look like an action server's.

        Raises:
            ClientResponseError: 400 where the action rejects, 404 where there is none of that name.
        """
        try:
            return await self._executor.run(kwargs["json"])
        except ActionExecutionRejection as error:
            body = json.dumps({"error": error.message, "action_name": error.action_name})
            raise ClientResponseError(400, "rejected", body) from error
        except ActionNotFoundException as error:
            body = json.dumps({"error": error.message, "action_name": error.action_name})
            raise ClientResponseError(404, "not found", body) from error


class LocalAction(RemoteAction):  # type: ignore[misc]
    """A custom action whose result is our own, so that its shape needs no check at run time."""

    def _validate_action_result(self, result: dict[str, Any]) -> bool:
        return True


class SessionStart(ActionSessionStart):  # type: ignore[misc]
    """Begins a session with what the slots hold, where Rasa would repeat every change that they have seen."""

    @staticmethod
    def _slot_set_events_from_tracker(tracker: DialogueStateTracker) -> list[SlotSet]:
        return [
            SlotSet(name, value)
            for name, value in tracker.current_slot_values().items()
            if value is not None and name != REQUESTED_SLOT
        ]


class LocalForm(FormAction):  # type: ignore[misc]
    """A form whose validation and questions are local actions too."""

    async def validate_slots(
        self,
        slot_candidates: dict[str, Any],
        tracker: DialogueStateTracker,
        domain: Domain,
        output_channel: OutputChannel,
        nlg: Any,
    ) -> list[Event]:
        """Lets the form's validation action hear and check the message (see the parent class)."""
        name = f"validate_{self.name()}"
        if name not in domain.action_names_or_texts:
            return []
        events: list[Event] = [SlotSet(slot, value) for slot, value in slot_candidates.items()]
        heard = self._temporary_tracker(tracker, events, domain)
        found: list[Event] = await LocalAction(name, self.action_endpoint).run(
            output_channel, nlg, heard, domain
        )
        return found

    async def _ask_for_slot(
        self,
        domain: Domain,
        nlg: Any,
        output_channel: OutputChannel,
        slot_name: str,
        tracker: DialogueStateTracker,
    ) -> list[Event]:
        name = self._name_of_utterance(domain, slot_name)
        if name is None:
            return []
        asks = (
            ActionBotResponse(name) if name.startswith("utter_") else LocalAction(name, self.action_endpoint)
        )
        events: list[Event] = await asks.run(output_channel, nlg, tracker, domain)
        return events


# -------------------------------------------------------------------------------------------------- graph


class StraightRunner(GraphRunner):  # type: ignore[misc]
    """Runs the nodes of a trained model one after another, in an order that is worked out once."""

    def __init__(
        self,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> None:
        self._schema = graph_schema
        self._nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        self._orders: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> StraightRunner:
        """Builds the runner (see the parent class)."""
        return cls(graph_schema, model_storage, execution_context, hooks)

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """Runs what the targets need, and returns their outputs by name."""
        wanted = tuple(targets or self._schema.target_names)
        if wanted not in self._orders:
            self._orders[wanted] = self._order(wanted)
        outputs = dict(inputs or {})
        for name, needs in self._orders[wanted]:
            _, outputs[name] = self._nodes[name](*((need, outputs[need]) for need in needs))
        return {name: outputs[name] for name in wanted}

    def _order(self, targets: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        needs = {
            name: list(node.needs.values())
            for name, node in self._schema.minimal_graph_schema(list(targets)).nodes.items()
        }
        order: list[str] = []

        def visit(name: str) -> None:
            if name in needs and name not in order:
                for need in needs[name]:
                    visit(need)
                order.append(name)

        for target in targets:
            visit(target)
        return [(name, needs[name]) for name in order]


# --------------------------------------------------------------------------------------- processor, agent


class Processor(MessageProcessor):  # type: ignore[misc]
    """A message processor with local actions and a straight runner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._actions: dict[str, Action] = {}

    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, GraphRunner]:
        with tempfile.TemporaryDirectory() as folder:
            metadata, runner = loader.load_predict_graph_runner(
                Path(folder), Path(model_path), LocalModelStorage, StraightRunner
            )
        return Path(model_path).name, metadata, runner

    async def get_tracker(self, conversation_id: str) -> DialogueStateTracker:
        """Reads a conversation back, which is the first thing a turn does.

        Raises:
            NotBegun: It cannot be read.
        """
        try:
            return await super().get_tracker(conversation_id)
        except Exception as error:
            raise NotBegun("the store of conversations does not answer") from error

    def _parse_message_with_graph(
        self, message: UserMessage, tracker: DialogueStateTracker, only_output_properties: bool = True
    ) -> dict[str, Any]:
        """Understands a message by its beginning: time grows with the square of a text's length."""
        text = message.text
        if text is None or len(text) <= _UNDERSTOOD_CHARS:
            return dict(super()._parse_message_with_graph(message, tracker, only_output_properties))
        beginning = copy.copy(message)
        beginning.text = text[:_UNDERSTOOD_CHARS]
        understood = super()._parse_message_with_graph(beginning, tracker, only_output_properties)
        return {**understood, "text": text}

    def predict_next_with_tracker_if_should(
        self, tracker: DialogueStateTracker
    ) -> tuple[Action, PolicyPrediction]:
        """Predicts the next action (see the parent class); the action is one of ours where it can be."""
        again = self.should_predict_another_action(tracker.latest_action_name)
        if self.is_action_limit_reached(tracker, again):
            raise ActionLimitReached("The limit of actions to predict has been reached.")
        prediction = self._predict_next_with_tracker(tracker)
        name = self.domain.action_names_or_texts[prediction.max_confidence_index]
        return self._get_action(name), prediction

    def _get_action(self, action_name: str) -> Action:
        action = self._actions.get(action_name)
        if action is None:
            stock = action_for_name_or_text(action_name, self.domain, self.action_endpoint)
            if action_name == ACTION_SESSION_START_NAME:
                action = SessionStart()
            elif type(stock) is FormAction:
                action = LocalForm(action_name, self.action_endpoint)
            elif type(stock) is RemoteAction:
                action = LocalAction(action_name, self.action_endpoint)
            else:
                action = stock
            self._actions[action_name] = action
        return action

    def _has_session_expired(self, tracker: DialogueStateTracker) -> bool:
        """A conversation that has grown long begins a new session too, but never in the middle of a form."""
        if tracker.active_loop_name is not None:
            return False
        return len(tracker.events) > _MAX_EVENTS or bool(super()._has_session_expired(tracker))


class LocalAgent(Agent):  # type: ignore[misc]
    """An agent with our processor, whose store's failures are failures."""

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        """Loads the model (see the parent class)."""
        self.processor = Processor(
            model_path=model_path,
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=self.nlg,
        )
        self.domain = self.processor.domain
        self._set_fingerprint(fingerprint)
        self.tracker_store.domain = self.domain
        self.nlg.responses = self.domain.responses

    @staticmethod
    def _create_tracker_store(store: TrackerStore, domain: Domain) -> TrackerStore:
        # Rasa's fail-safe wrapper would keep a conversation in memory and lose it: an error is better
        store.domain = domain
        return store


# -------------------------------------------------------------------------------------------------- store


class ConversationStore(SQLTrackerStore):  # type: ignore[misc]
    """Rasa's SQL tracker store on a full URL, with the events of recent conversations kept in memory.

    What is kept counts only while the database holds exactly as many events of the conversation, so several
    processes may share one database. What is said is sealed in it; who spoke when is not.
    """

    def __init__(
        self,
        url: str,
        domain: Domain | None = None,
        event_broker: EventStream | None = None,
        *,
        sealer: Sealer | None = None,
    ) -> None:
        """Prepares the store; nothing is connected yet.

        Args:
            url: ``sqlite:///…`` or ``postgresql://…``.
            domain: The model's domain.
            event_broker: Where what was saved is published too.
            sealer: Makes the events unreadable in the database; None keeps them as they are.
        """
        # not the parent's: it connects, goes on where that fails, and logs the address
        super(SQLTrackerStore, self).__init__(domain, event_broker)
        parsed = sa.make_url(re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", url))
        self._in_file = parsed.get_backend_name() == "sqlite"
        # what a driver complains about must not carry messages of people into a log
        if self._in_file:
            if parsed.database not in (None, "", ":memory:"):
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(parsed, hide_parameters=True)
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
        else:
            patience = {"connect_timeout": str(_CONNECT_SECONDS), "tcp_user_timeout": "5000"}
            parsed = parsed.update_query_dict({**patience, **parsed.query})
            # a connection that broke while it was idle is made anew
            self.engine = sa.create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
        self.sessionmaker = sa.orm.sessionmaker(bind=self.engine)
        self._sealer = sealer
        self._recent: OrderedDict[str, _Kept] = OrderedDict()
        self._kept_events = 0
        self._looking: asyncio.Task[bool] | None = None

    async def prepare(self) -> None:
        """Connects, and makes the tables where they are missing.

        Raises:
            Unreachable: The database does not answer, or lets us make no tables.
        """
        try:
            await self._off_the_loop(self._make_tables)
        except sa.exc.SQLAlchemyError as error:
            raise Unreachable(
                f"存放对话的数据库（QIFU_TRACKER_URL）连不上或不能建表（{type(error).__name__}），稍后会再试。"
            ) from None

    async def answers(self) -> bool:
        """Whether the database answers now, and has its tables."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await asyncio.shield(self._looking)
        except TimeoutError:
            return False

    async def _look(self) -> bool:
        try:
            await self._off_the_loop(self._read_one)
        except sa.exc.SQLAlchemyError:
            return False
        return True

    async def _off_the_loop(self, work: Callable[[], None]) -> None:
        # a file answers at once, and one in memory only to the thread that made it
        if self._in_file:
            work()
        else:
            await asyncio.to_thread(work)

    def _make_tables(self) -> None:
        try:
            self.Base.metadata.create_all(self.engine)
        except (sa.exc.ProgrammingError, sa.exc.IntegrityError, sa.exc.OperationalError):
            # another process may have made them at this moment
            self._read_one()

    def _read_one(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.select(self.SQLEvent.id).limit(1)).first()

    async def _retrieve(
        self, sender_id: str, fetch_events_from_all_sessions: bool
    ) -> DialogueStateTracker | None:
        if fetch_events_from_all_sessions:
            return await super()._retrieve(sender_id, fetch_events_from_all_sessions=True)
        kept = self._recent.get(sender_id)
        if kept is None or kept.last_id != self._last_id(sender_id):
            tracker = await super()._retrieve(sender_id, fetch_events_from_all_sessions=False)
            if tracker is None:
                return None
            self._keep(tracker, self._last_id(sender_id))
            return tracker
        self._recent.move_to_end(sender_id)
        return DialogueStateTracker.from_events(sender_id, kept.events, self.domain.slots)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Stores the events that are new, and keeps the session's events for the next message."""
        events = self._new_events(tracker)
        rows = [self._row(tracker.sender_id, event) for event in events]
        with self.engine.begin() as connection:
            if rows:
                connection.execute(sa.insert(self.SQLEvent), rows)
            last_id = self._last_id(tracker.sender_id, connection)
        self._keep(tracker, last_id)
        if self.event_broker is not None:
            await self._stream_new_events(self.event_broker, events, tracker.sender_id)

    def is_in_form(self, sender_id: str) -> bool:
        """Whether the conversation that was saved last under this id is in the middle of a form."""
        kept = self._recent.get(sender_id)
        return kept is not None and kept.in_form

    def _new_events(self, tracker: DialogueStateTracker) -> list[Event]:
        events = list(tracker.events)
        kept = self._recent.get(tracker.sender_id)
        # a tracker that was made from the kept events holds the very same objects
        if (
            kept is not None
            and len(events) >= len(kept.events)
            and (not kept.events or events[len(kept.events) - 1] is kept.events[-1])
        ):
            return events[len(kept.events) :]
        with self.session_scope() as session:
            return list(self._additional_events(session, tracker))

    def _event_query(
        self, session: sa.orm.Session, sender_id: str, fetch_events_from_all_sessions: bool
    ) -> Any:
        query = super()._event_query(session, sender_id, fetch_events_from_all_sessions)
        return query if self._sealer is None else _Opened(query, self._sealer)

    def _row(self, sender_id: str, event: Event) -> dict[str, Any]:
        data = event.as_dict()
        told = json.dumps(data)
        return {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": data.get("timestamp"),
            "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
            "action_name": data.get("name"),
            "data": self._sealer.seal(told) if self._sealer else told,
        }

    def _keep(self, tracker: DialogueStateTracker, last_id: int) -> _Kept:
        kept = _Kept(last_id, _session(tracker), tracker.active_loop_name is not None)
        before = self._recent.pop(tracker.sender_id, None)
        self._recent[tracker.sender_id] = kept
        self._kept_events += len(kept.events) - (len(before.events) if before else 0)
        while self._kept_events > _KEPT_EVENTS and len(self._recent) > 1:
            self._kept_events -= len(self._recent.popitem(last=False)[1].events)
        return kept

    def _last_id(self, sender_id: str, connection: sa.Connection | None = None) -> int:
        statement = sa.select(sa.func.max(self.SQLEvent.id)).where(self.SQLEvent.sender_id == sender_id)
        if connection is not None:
            return connection.execute(statement).scalar() or 0
        with self.engine.connect() as own:
            return own.execute(statement).scalar() or 0


@dataclass(frozen=True, slots=True)
class _Told:
    """A stored event as Rasa reads it back."""

    data: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """The part of a query that Rasa's store uses, with the events unsealed."""

    query: Any
    sealer: Sealer

    def all(self) -> list[_Told]:
        return [_Told(self.sealer.open(row.data)) for row in self.query.all()]

    def count(self) -> int:
        return int(self.query.count())


@dataclass(frozen=True, slots=True)
class _Kept:
    """A conversation's last session as it stands in the database up to the row ``last_id``."""

    last_id: int
    events: list[Event]
    in_form: bool


def _session(tracker: DialogueStateTracker) -> list[Event]:
    """The events of the last session, as the database would give them back."""
    events = list(tracker.events)
    for position in range(len(events) - 1, -1, -1):
        if events[position].type_name == "session_started":
            return events[position:]
    return events


def _prepare_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


# ------------------------------------------------------------------------------------------------- engine


class _Collector(OutputChannel):  # type: ignore[misc]
    """Collects what is said in one turn."""

    def __init__(self, channel: str) -> None:
        self.said: list[dict[str, Any]] = []
        self._channel = channel

    def name(self) -> str:
        """Returns the door's name; it reaches the actions as the input channel."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keeps a bubble."""
        self.said.append(message)


class Engine:
    """Understands and answers messages, one at a time for each conversation."""

    def __init__(
        self,
        agent: Agent,
        store: ConversationStore,
        locks: RedisLocks | None,
        stream: EventStream | None,
    ) -> None:
        self._agent = agent
        self._store = store
        self._locks = locks
        self._stream = stream
        # /restart and the like are Rasa's own, and nobody's to type
        self._intents = frozenset(agent.domain.intents) - frozenset(DEFAULT_INTENTS)

    @classmethod
    async def open(cls, model: Path, settings: BotSettings) -> Engine:
        """Loads the model and connects to the stores; ends with a turn that warms everything up.

        Args:
            model: A trained model's file.
            settings: The bot's settings.

        Raises:
            Unreachable: The store of conversations or the locks do not answer.
        """
        quiet(settings.log_level)
        client.use(settings.backend_url)
        sealer = Sealer(settings.tracker_key) if settings.tracker_key else None
        store = ConversationStore(settings.tracker_url, sealer=sealer)
        locks = RedisLocks(settings.redis_url) if settings.redis_url else None
        try:
            await store.prepare()
            if locks is not None and not await locks.answers():
                raise Unreachable("Redis（QIFU_REDIS_URL）连不上，稍后会再试。")
            # not LocalAgent.load(): that makes a stock Agent, whatever class it is called on
            agent = LocalAgent(
                tracker_store=store,
                lock_store=locks if locks is not None else InMemoryLockStore(),
                action_endpoint=LocalActions(),
            )
            agent.load_model(model)
            store.event_broker = EventStream(settings.amqp_url) if settings.amqp_url else None
            engine = cls(agent, store, locks, store.event_broker)
            await engine._warm_up()
        except BaseException:
            store.engine.dispose()
            if locks is not None:
                await locks.close()
            raise
        return engine

    async def turn(self, sender: str, message: str, channel: str = "web") -> dict[str, Any]:
        """Answers one message.

        Args:
            sender: Stable id of who speaks.
            message: Text, or a button's payload.
            channel: The door through which it came.

        Returns:
            ``{"messages": [Message JSON], "outcome": str, "entry": str | None}``, never without a message.

        Raises:
            NotBegun: The store of conversations or the locks do not answer; no action ran.
        """
        collector = _Collector(channel)
        text = self._harmless(message)
        await self._agent.handle_message(UserMessage(text, collector, sender, input_channel=channel))
        return _reply(collector.said, in_form=self._store.is_in_form(sender))

    async def close(self) -> None:
        """Closes what was opened."""
        await client.close_all()
        if self._stream is not None:
            await self._stream.close()
        if self._locks is not None:
            await self._locks.close()
        self._store.engine.dispose()

    async def missing(self) -> list[str]:
        """The settings whose servers a turn needs and that do not answer now."""
        store, locks = await asyncio.gather(
            self._store.answers(), self._locks.answers() if self._locks is not None else _yes()
        )
        there = {"QIFU_TRACKER_URL": store, "QIFU_REDIS_URL": locks}
        return [name for name, answers in there.items() if not answers]

    def _harmless(self, message: str) -> str:
        """The message, where a leading slash means a button of ours and nothing else."""
        if not recognition.clean(message):
            return "？"
        if not message.startswith("/"):
            return message
        match = _PAYLOAD.match(message.strip())
        if match and match[1] in self._intents:
            if match[2] is None:
                return message.strip()
            try:
                values = json.loads(match[2])
            except ValueError:
                values = None
            if isinstance(values, dict) and all(isinstance(value, str) for value in values.values()):
                known = {key: value for key, value in values.items() if key in self._agent.domain.entities}
                return f"/{match[1]}{json.dumps(known, ensure_ascii=False)}" if known else f"/{match[1]}"
        return f"／{message[1:]}"

    async def _warm_up(self) -> None:
        # NLU, a policy prediction and a response, without a word to the store or the backend
        await self._agent.parse_message("你好，请问下沙街道的热线电话是多少")
        tracker = DialogueStateTracker.from_events("warm-up", [ActiveLoop(None)], self._agent.domain.slots)
        self._agent.predict_next_with_tracker(tracker)


async def _yes() -> bool:
    return True


def _reply(said: list[dict[str, Any]], *, in_form: bool) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    outcome: str | None = None
    entry: str | None = None
    for bubble in said:
        custom = bubble.get("custom") or {}
        outcome = custom.get("outcome") or outcome
        entry = custom.get("entry") or entry
        if bubble.get("text"):
            messages.append(
                {
                    "text": bubble["text"],
                    "citations": custom.get("citations") or [],
                    "buttons": [
                        {"title": str(button["title"]), "payload": str(button["payload"])}
                        for button in bubble.get("buttons") or []
                    ],
                    "card": custom.get("card"),
                }
            )
    if not messages:
        log.warning("a turn gave no answer")
        messages = [
            {
                "text": SAID_NOTHING,
                "citations": [],
                "buttons": [{"title": "转人工", "payload": "/ask_human"}],
                "card": None,
            }
        ]
        outcome = outcome or ("form" if in_form else "unanswered")
    reply: dict[str, Any] = {"messages": messages, "outcome": outcome or ("form" if in_form else "chitchat")}
    return {**reply, "entry": entry} if entry else reply


def quiet(level: str) -> None:
    """Sets the log level, Rasa's structured log included, whose debug lines cost time even when thrown away.

    Rasa's own messages below WARNING are dropped, and of the others everything but the event's name: some
    carry what people wrote.
    """
    at_least = max(logging.getLevelName(level), logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(at_least),
        processors=[reserved_event, structlog.processors.KeyValueRenderer(key_order=["level", "event"])],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    for name in (
        "rasa",
        "rasa_sdk",
        "matplotlib",
        "apscheduler",
        "aio_pika",
        "aiormq",
        "jieba",
        "sqlalchemy",
    ):
        logging.getLogger(name).setLevel(at_least)
