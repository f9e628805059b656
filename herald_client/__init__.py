"""A client for Herald: HER2 results in and answers out, with retries that store once. It needs httpx and stamina.

```python
from herald_client import Herald, Refused

with Herald("http://127.0.0.1:8000", sender="North LIS") as herald:
    result = herald.report(
        {"patient": "P-0001", "ihc": "2+", "ish": {"ratio": "2.50", "her2_copies": "6.5", "cells": 40}},
        key="S26-1234/1",
    )
    if answer := result["classification"]:
        print(answer["status"])
    try:
        herald.classify({"ihc": "strong"})
    except Refused as refused:
        print(refused.problems[0].field, refused.problems[0].remedy)
```

`AsyncHerald` has the same calls, to be awaited. Numbers are texts or Decimals and go out as written; a float raises
TypeError. A call is sent again after a broken line, a timeout, 429, 502, 503, 504 and while the first try is still at
work, waiting as long as the server asks; but only where that stores nothing twice. What a call raises is in `errors`,
what is sent in `sent`, what comes back in `answers`. No error repeats what was sent.
"""

from herald_client.aio import AsyncHerald, AsyncJob
from herald_client.calls import FhirAnswer, Person
from herald_client.errors import Conflict, HeraldError, KeyConflict, Problem, Refused, Stale, Unavailable
from herald_client.sync import Herald, Job
from herald_client.wire import AcknowledgedError, Acknowledgement, acknowledgement

__all__ = [
    "AcknowledgedError",
    "Acknowledgement",
    "AsyncHerald",
    "AsyncJob",
    "Conflict",
    "FhirAnswer",
    "Herald",
    "HeraldError",
    "Job",
    "KeyConflict",
    "Person",
    "Problem",
    "Refused",
    "Stale",
    "Unavailable",
    "acknowledgement",
]
