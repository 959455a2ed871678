"""Is it alive, is it ready, what has it done."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from backend.api.endpoints import Call, Table
from backend.api.fields import Response
from backend.api.metrics import MEDIA_TYPE

TABLE = Table("health")
PartState = Literal["ok", "unavailable"]


class Alive(Response):
    """The process serves."""

    status: Literal["ok"] = "ok"


class Parts(Response):
    """What the service is made of; only the bot may be away without questions and filing stopping."""

    database: PartState
    knowledge: PartState
    bot: PartState


class Readiness(Response):
    """Whether everything is there."""

    ready: bool
    parts: Parts


@TABLE.get("/healthz", "Answers as soon as the process serves.")
async def get_health(call: Call, data: None) -> Alive:
    """Answers at once and asks nobody."""
    return Alive()


@TABLE.get(
    "/readyz",
    "200 when every part is there; 503 with the same body until then.",
    gives=Readiness,
    also=(503,),
)
async def get_readiness(call: Call, data: None) -> web.Response:
    """Asks the parts."""
    states = await call.container.parts()
    parts = Parts(**{name: "ok" if there else "unavailable" for name, there in states.items()})
    ready = all(states.values())
    body = Readiness(ready=ready, parts=parts).model_dump_json()
    return web.Response(
        text=body,
        status=200 if ready else 503,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@TABLE.get("/metrics", "Counters in Prometheus' text format.", media_type="text/plain")
async def get_metrics(call: Call, data: None) -> web.Response:
    """Writes the counters; they hold no personal data."""
    call.metrics.clock(call.container.supervision.gauges)
    body = call.metrics.render(bot_up=call.container.conversations.bot_ready)
    return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE})
