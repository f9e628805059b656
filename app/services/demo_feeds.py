"""What comes to and goes from the synthetic organisation: a few messages of a LIS, and a webhook that waits."""

from __future__ import annotations

from datetime import UTC, datetime

from app.services import webhooks
from app.services.exchange import payload
from app.services.intake import Intake, load_feeds
from app.services.reporting import Context, Key
from app.services.webhook_sending import Webhooks
from app.services.webhook_targets import Targets

_BY = {"name": "Dr Demo", "role": "interface engineer"}
_BOARD = "https://board.example.org"
_IHC = "ST|85319-2^HER2 IHC^LN||{score}||||||F"
_COUNT = ("NM|49683-6^HER2/CEP17^LN||{ratio}||||||F", "NM|74860-8^HER2 copies^LN||{copies}||||||F")
# case number, what its report says: recorded, joined to the first, of a code that nobody mapped, in two minds
_REPORTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("LIS-1", (_IHC.format(score="2+"),)),
    ("LIS-1", tuple(each.format(ratio="1.80", copies="3.50") for each in _COUNT)),
    ("LIS-2", (_IHC.format(score="3+"),)),
    ("LIS-3", ("ST|HER2X^HER2 by the new stainer^L||2+||||||F",)),
    ("LIS-4", (_IHC.format(score="1+"), _IHC.format(score="3+"))),
)


def make_feeds(context: Context, seed: int) -> dict[str, int]:
    """The messages and the subscription; how many messages are in each state. The same seed stores nothing twice."""
    intake = Intake(context, load_feeds(""))
    kept = intake.keep([payload(_oru(seed, number, *each)) for number, each in enumerate(_REPORTS, 1)])
    states: dict[str, int] = {}
    for each in kept:
        (became,) = intake.record([each])
        states[became.state] = states.get(became.state, 0) + 1
    return states


def make_webhook(context: Context, seed: int) -> None:
    """A subscription to what follows. It is paused, since there is no such board: its lines can be seen waiting."""
    sender = Webhooks(context, key="synthetic " * 4, targets=Targets([_BOARD]), base_url="", seconds=1)
    body = {**_BY, "reason": "to look at", "url": f"{_BOARD}/her2", "topics": ["result.final", "status.changed"]}
    made = webhooks.subscribe(sender, body, Key(f"demo-{seed}-webhook", "POST /webhooks", body))
    pause = {**_BY, "reason": "synthetic: nobody listens there", "state": "paused"}
    path = f"POST /webhooks/{made.body['id']}/states"
    webhooks.change_state(sender, made.body["id"], pause, Key(f"demo-{seed}-paused", path, pause))


def _oru(seed: int, number: int, case: str, observations: tuple[str, ...]) -> bytes:
    at = datetime(2026, 11, number, 9, tzinfo=UTC).strftime("%Y%m%d%H%M%S")
    lines = [
        f"MSH|^~\\&|LIS|NORTH (SYNTHETIC)|HERALD|DEMO|{at}||ORU^R01|DEMO-{seed}-{number}|P|2.5.1",
        f"PID|1||DEMO-{seed}-{case}^^^NORTH^MR",
        f"OBR|1||DEMO-{seed}-{case}|HER2^HER2^L|||20261031||||||||||||||||||F",
        *(f"OBX|{place}|{each}|||{at}" for place, each in enumerate(observations, 1)),
    ]
    return "\r".join(lines).encode()
