"""Whether a table is to be monitored: the one rule that the plan follows and a gate holds it to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etl_orchestrator.plan import Decision

#: Tiers whose failure hurts somebody.
MONITORED_TIERS = ("tier_1", "tier_2")
#: Words among the consumers that make a table worth watching whatever its tier.
WATCHED_CONSUMERS = ("dashboard", "external")


def monitoring_rule(asked: str | Sequence[Mapping[str, object]], tier: str, consumers: Sequence[str] = ()) -> Decision:
    """`asked` is "auto", "none" or explicit checks; the person's word wins over the tier, the tier over the consumers."""
    if asked == "none":
        against = f", although {tier} tables are monitored" if tier in MONITORED_TIERS else ""
        return Decision("no", f"the requirements say none{against}")
    if asked != "auto":
        return Decision("yes", "the requirements ask for it")
    if tier in MONITORED_TIERS:
        return Decision("yes", f"{tier} tables are monitored")
    watched = [one for one in consumers if any(word in one.lower() for word in WATCHED_CONSUMERS)]
    if watched:
        return Decision("yes", f"it feeds {', '.join(watched)}")
    if not tier:
        return Decision("no", "no tier is known, no dashboard or external consumer is named, and nobody asked for it")
    return Decision("no", f"{tier}, and no dashboard or external consumer is named")
