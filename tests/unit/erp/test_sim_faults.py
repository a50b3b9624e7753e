import pytest

from app.erp.simulator.faults import MAX_RULES, FaultRule, Faults, Latency, Misbehaving, Outage, Subject


def posts(misbehaving: Misbehaving, ids: list[str]) -> list[str]:
    decided = (misbehaving.of("post", [Subject("1001", "4711", "yield", one)]) for one in ids)
    return ["" if one is None else one.action for one in decided]


def test_the_next_n_posts_of_an_order_fail_and_the_others_do_not() -> None:
    misbehaving = Misbehaving(Faults(rules=[FaultRule("timeout_after", order="1001", times=2)]), 0)
    other = Subject("1002", "4711", "yield", "X")
    assert misbehaving.of("post", [other]) is None
    assert posts(misbehaving, ["A", "B", "C"]) == ["timeout_after", "timeout_after", ""]


def test_a_rule_matches_when_one_line_does() -> None:
    misbehaving = Misbehaving(Faults(rules=[FaultRule("reject", kind="scrap", code="PERIOD_CLOSED")]), 0)
    assert posts(misbehaving, ["A"]) == [""]
    decided = misbehaving.of("post", [Subject(kind="yield"), Subject(kind="scrap")])
    assert decided is not None
    assert decided.code == "PERIOD_CLOSED"
    assert misbehaving.of("find", [Subject(kind="scrap")]) is None


def test_probabilities_do_not_depend_on_who_comes_first() -> None:
    faults = Faults(seed=7, probabilities={"timeout_before": 0.2, "timeout_after": 0.3})
    ids = [f"P{n}" for n in range(2000)]
    forward = dict(zip(ids, posts(Misbehaving(faults, 0), ids), strict=True))
    backward = dict(zip(ids[::-1], posts(Misbehaving(faults, 0), ids[::-1]), strict=True))
    assert forward == backward
    count = {action: list(forward.values()).count(action) for action in ("timeout_before", "timeout_after", "")}
    assert 320 < count["timeout_before"] < 480
    assert 510 < count["timeout_after"] < 690


def test_another_attempt_is_decided_anew() -> None:
    decided = posts(Misbehaving(Faults(seed=1, probabilities={"unavailable": 0.5}), 0), ["A"] * 40)
    assert {"", "unavailable"} == set(decided)


def test_another_seed_decides_otherwise() -> None:
    ids = [f"P{n}" for n in range(100)]
    assert posts(Misbehaving(Faults(seed=1, probabilities={"reject": 0.5}), 0), ids) != posts(
        Misbehaving(Faults(seed=2, probabilities={"reject": 0.5}), 0), ids
    )


def test_the_budget_lets_through_what_it_says() -> None:
    misbehaving = Misbehaving(Faults(calls_per_second=10, burst=2), 100.0)
    assert [misbehaving.throttled_ms(100.0) for _ in range(3)] == [0, 0, 101]
    assert misbehaving.throttled_ms(100.05) == 51
    assert misbehaving.throttled_ms(100.101) == 0
    passed = sum(misbehaving.throttled_ms(101 + n / 1000) == 0 for n in range(10_000))
    assert 100 <= passed <= 102


@pytest.mark.parametrize(("now", "down"), [(9.9, False), (10.0, True), (12.9, True), (13.0, False)])
def test_an_outage_has_a_window(now: float, down: bool) -> None:
    misbehaving = Misbehaving(Faults(outages=[Outage(after_ms=5000, for_ms=3000)]), 5.0)
    assert (misbehaving.outage(now) is not None) is down


def test_latency_stays_in_its_range_but_for_the_tail() -> None:
    latency = Latency(low_ms=10, high_ms=20, tail_probability=0.1, tail_ms=500)
    misbehaving = Misbehaving(Faults(latency=latency), 0)
    drawn = [misbehaving.latency_ms(call) for call in range(2000)]
    assert 140 < drawn.count(500) < 260
    assert all(10 <= one <= 20 for one in drawn if one != 500)


def test_rules_are_bounded() -> None:
    misbehaving = Misbehaving(Faults(), 0)
    assert all(misbehaving.add(FaultRule("reject")) for _ in range(MAX_RULES))
    assert not misbehaving.add(FaultRule("reject"))
