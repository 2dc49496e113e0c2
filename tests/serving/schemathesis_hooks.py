"""What schemathesis loads: one check more, of requests that the document says are right.

A document cannot say everything: that the first day comes before the last, or which zones there
are. So a right request may be refused, but for these reasons alone.
"""

import re

import schemathesis

SAID_ELSEWHERE = re.compile(
    r"unknown (zone|source|quantile|webhook)"
    r"|from \(.+\) is after to \(.+\); exchange them"
    r"|end_date is before date; exchange them"
    r"|temperature_min is above temperature_max; exchange them"
    r"|supposes nothing; give weather or events"
    r"|says nothing of the weather; give any of .+"
    r"|expected a name, not blanks"
    r"|expected whole characters, not halves of them"
    r"|expected an instant with its offset, as .+"
    r"|is not a day of this publication"
    r"|no day of it is one of this publication"
    r"|must begin with https://"
    r"|must name a host, without user, password or fragment"
    r"|must be ASCII without blanks; .+"
    r"|is no URL \(.+\)"
    r"|names a host that cannot be found \(.*\)"
    r"|leads to a private or reserved network, where nothing is sent"
    r"|this key has [0-9]+ webhooks, the most there may be; remove one"
    # Sequences hand the extension of one route on to another, which has fewer.
    r"|Input should be 'json'.*",
    re.DOTALL,
)
PARQUET = "Parquet is offered for all forecasts of the present publication"


@schemathesis.hook
def filter_query(ctx, query) -> bool:
    """Leave out wrong values that no URL can carry: an empty list or object is not sent at all."""
    return not any(value in ([], {}) for value in (query or {}).values())


@schemathesis.check
def a_right_request_is_refused_for_a_reason_the_document_cannot_say(ctx, response, case) -> None:
    if not case.meta.generation.mode.is_positive or response.status_code not in (
        400,
        406,
        415,
        422,
    ):
        return
    problem = response.json()
    if problem["status"] == 406:
        assert problem["detail"].startswith(PARQUET), problem
    elif "report" in problem:  # Random bytes are no file of a source.
        assert problem["report"]["errors"] > 0, problem
    else:
        assert problem["errors"], problem
        for entry in problem["errors"]:
            assert SAID_ELSEWHERE.fullmatch(entry["message"]), entry
