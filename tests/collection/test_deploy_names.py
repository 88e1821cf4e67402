"""Names of deploys are recognised by what they have in common, and names that people chose are left alone."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.collection.deploy_names import deploy_renames
from observatory.model import Span, apply_renames

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAFE = "2456789bcdfghjklmnpqrstvwxz"


def in_turn(names: list[str], lasting: timedelta = HOUR) -> dict[str, Span]:
    """Each is there when the one before has gone."""
    return {name: (NOON + place * HOUR, NOON + place * HOUR + lasting) for place, name in enumerate(names)}


def at_once(names: list[str]) -> dict[str, Span]:
    return dict.fromkeys(names, (NOON, NOON + HOUR))


def stems(names: list[str], **more: object) -> set[str]:
    rules = deploy_renames(names, **more)  # type: ignore[arg-type]
    return {apply_renames(name, rules) for name in names}


@pytest.mark.parametrize(
    ("stem", "names"),
    [
        ("checkout", ["checkout-7d4b9c6f5d", "checkout-6c8f9d7b5x"]),
        ("checkout", ["checkout-7d4b9c6f5d-x2x9p", "checkout-7d4b9c6f5d-k7b2m"]),
        ("checkout", ["checkout-7d4b9c6f5d-x2x9p", "checkout-6c8f9d7b5x-k7b2m", "checkout-7d4b9c6f5d"]),
        ("checkout", ["checkout-3154633503-mwx0t".replace("0", "4"), "checkout-2924731209-bk7xz"]),
        ("checkout", ["checkout-3f9ab12", "checkout-b81c0de"]),
        ("shop/checkout", ["shop/checkout-3f9ab12", "shop/checkout-b81c0de"]),
        ("shop/checkout", ["shop/checkout-3f9ab12", "shop/checkout-b81c0de44"]),
        ("checkout", ["checkout_3f9ab12c0d1e", "checkout_b81c0de4f2a9"]),
        ("checkout", ["checkout-20261124-1530", "checkout-20261125-0910"]),
        ("checkout", ["checkout-2026-11-24", "checkout-2026-12-01"]),
        ("checkout", ["checkout-20261124T153000Z", "checkout-20261125T091000Z"]),
        ("checkout", ["checkout-20261124-3f9ab12", "checkout-20261125-b81c0de"]),
        ("checkout", ["checkout-1.4.2-3f9ab12", "checkout-1.4.3-b81c0de"]),
        ("checkout", ["checkout-build-811", "checkout-build-812"]),
        ("backup", ["backup-28412345-x2x9p", "backup-28412350-k7b2m"]),
        ("backup", ["backup/periodic-1504735200", "backup/periodic-1504821600"]),
        ("encode", ["encode/dispatch-1538111157-d337f6b6", "encode/dispatch-1538111999-5b6a5b11"]),
        ("hello", ["hello-00012-kez", "hello-00013-pud"]),
        ("hello", ["hello--3x9kq2d", "hello--8w2mz1p"]),
        ("shop_web", ["shop_web.1.ukf3v0x8k2j3qpw9z7r1m5t2c", "shop_web.2.x8k2j3qpw9z7r1m5t2cukf3v0"]),
        ("shop-Web", ["shop-Web-1ABC2DEF3GHIJ", "shop-Web-9ZYX8WVU7TSRQ"]),
        ("checkout-canary", ["checkout-3f9ab12-canary", "checkout-b81c0de-canary"]),
        ("a$b (c)", ["a$b (c)-3f9ab12", "a$b (c)-b81c0de"]),
        (
            "checkout",
            ["checkout-550e8400-e29b-41d4-a716-446655440000", "checkout-6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
        ),
    ],
)
def test_deploys_of_one_service_have_its_name(stem: str, names: list[str]) -> None:
    assert stems(names) == {stem}


@pytest.mark.parametrize(
    "names",
    [
        ["my-app-v1", "my-app-v2", "my-app-v3"],
        ["kafka-0", "kafka-1", "kafka-2"],
        ["web.1", "web.2", "worker.1"],
        ["s3", "s4", "auth0", "auth1", "ec2", "k8s"],
        ["web-eu1", "web-eu2", "web-us1", "web-euw1a"],
        ["node-exporter", "node-export"],
        ["shop-facade", "shop-decade", "shop-cafe", "shop-deed", "shop-added"],
        ["shop-facade1", "shop-decade2", "cafe-2024", "cafe-2025"],
        ["shop-cafe2024", "shop-cafe2025"],
        ["pop-lhr55", "pop-frk22", "pop-mtl44"],
        ["redis-6379", "redis-6380", "redis-6381"],
        ["tenant-10042", "tenant-10043", "tenant-10044"],
        ["app-pr-101", "app-pr-102", "app-pr-103"],
        ["postgres-12.4.1", "postgres-13.2.0"],
        ["ip-10-0-1-23", "ip-10-0-1-24"],
        ["checkout-ed25519", "checkout-sha256"],
        ["3f9ab12", "b81c0de"],
        ["i-0abc12345def67890", "i-0fed98765cba43210"],
        ["preview-3f9ab12/web", "preview-b81c0de/web"],
    ],
)
def test_names_that_people_chose_are_left_alone(names: list[str]) -> None:
    assert deploy_renames(names) == ()
    assert deploy_renames(names, at_once(names)) == ()


@pytest.mark.parametrize(
    "name", ["checkout-7d4b9c6f5d", "checkout-7d4b9c6f5d-x2x9p", "checkout-3f9ab12", "checkout-20261124-1530"]
)
def test_a_name_alone_is_left_alone(name: str) -> None:
    assert deploy_renames([name, "cart-5e6f7a8", "checkout", name]) == ()


def test_a_word_beside_hashes_stays_a_service() -> None:
    names = ["shop-3f9ab12", "shop-b81c0de", "shop-facade", "shop-decade", "shop-cafe", "shop", "shop-v2", "shop-0"]
    assert stems(names) == {"shop", "shop-facade", "shop-decade", "shop-cafe", "shop-v2", "shop-0"}


@pytest.mark.parametrize(
    ("stem", "names"),
    [
        ("checkout", ["checkout-1042", "checkout-1043", "checkout-1051"]),
        ("checkout", ["checkout-b98", "checkout-b99", "checkout-b100"]),
        ("checkout", ["checkout-1.4.2", "checkout-1.4.3", "checkout-1.10.0"]),
        ("hyper", ["hyper-v1o109o0", "hyper-v1o110o0", "hyper-v1o110o1"]),
        ("backup", ["backup-28412345", "backup-28412350", "backup-28412355"]),
    ],
)
def test_numbers_are_builds_only_where_one_follows_the_other(stem: str, names: list[str]) -> None:
    assert stems(names, spans=in_turn(names)) == {stem}
    assert stems(names, spans=in_turn(names, HOUR + timedelta(minutes=5))) == {stem}, "a rolling deploy"
    assert stems(names) == set(names)
    assert stems(names, spans=at_once(names)) == set(names)
    assert stems(names[:2], spans=in_turn(names[:2])) == set(names[:2])
    backwards = in_turn(names[::-1])
    assert stems(names, spans=backwards) == set(names)


def test_many_at_once_are_customers_and_few_are_deploys() -> None:
    names = [f"db-{place}f9ab{place}c" for place in range(9)]
    assert stems(names, spans=at_once(names)) == set(names)
    assert stems(names, spans=in_turn(names)) == {"db"}
    assert stems(names[:2], spans=at_once(names[:2])) == {"db"}, "the old and the new, or a canary"
    pods = [f"web-7d4b9c6f5d-{letter}2x9p" for letter in "bcdfghjk"]
    assert stems(pods, spans=at_once(pods)) == {"web"}, "pods of one deploy"


def test_what_was_recognised_stays_and_one_more_name_adds_to_it() -> None:
    first = deploy_renames(["api-3f9ab12", "api-b81c0de"])
    assert deploy_renames(["api-5e6f7a8"], known=first) == first, "the rule has it already"
    more = deploy_renames(["api-5e6f7a8b9c0d"], known=first)
    assert more[: len(first)] == first
    assert apply_renames("api-5e6f7a8b9c0d", more) == "api"
    assert deploy_renames([], known=first) == first


def test_a_stem_that_somebody_took_apart_stays_apart() -> None:
    assert deploy_renames(["api-3f9ab12", "api-b81c0de"], apart=["api"]) == ()


def test_the_order_of_names_does_not_matter() -> None:
    names = ["api-3f9ab12", "api-b81c0de", "bill-7d4b9c6f5d", "bill-6c8f9d7b5x", "bill-20261124", "c"]
    assert deploy_renames(names) == deploy_renames(names[::-1]) == deploy_renames([*names, *names])


def test_hashes_of_the_kind_that_count_up_are_recognised() -> None:
    names = [f"svc{s}-{(k * 7919 + s * 104729) % 16**7:08x}" for s in range(4) for k in range(31)]
    spans = {
        f"svc{s}-{(k * 7919 + s * 104729) % 16**7:08x}": (NOON + 2 * k * HOUR, NOON + (2 * k + 2) * HOUR)
        for s in range(4)
        for k in range(31)
    }
    assert stems(names, spans=spans) == {"svc0", "svc1", "svc2", "svc3"}
    assert len(deploy_renames(names, spans)) == 4


HASHES = st.one_of(
    st.text("0123456789abcdef", min_size=7, max_size=7),
    st.text("0123456789abcdef", min_size=12, max_size=12),
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.text(SAFE, min_size=8, max_size=10),
).filter(lambda text: len(re.findall("[0-9]+|[a-z]+", text)) >= 3)
WORD = st.text(string.ascii_lowercase, min_size=2, max_size=12)
STEMS = st.lists(WORD, min_size=1, max_size=3).map("-".join)
CHOSEN = st.one_of(
    STEMS,
    st.tuples(STEMS, st.integers(0, 99)).map("{0[0]}-{0[1]}".format),
    st.tuples(STEMS, st.integers(1, 99)).map("{0[0]}-v{0[1]}".format),
    st.tuples(STEMS, WORD, st.integers(0, 9)).map("{0[0]}-{0[1]}{0[2]}".format),
    st.tuples(WORD, STEMS).map("/".join),
)


@pytest.mark.slow
@given(STEMS, st.lists(HASHES, min_size=2, max_size=8, unique=True))
def test_hashes_of_one_length_are_one_service(stem: str, hashes: list[str]) -> None:
    names = [f"{stem}-{text}" for text in hashes if len(text) == len(hashes[0])]
    rules = deploy_renames(names)
    if len(names) > 1:
        assert {apply_renames(name, rules) for name in names} == {stem}
    else:
        assert rules == ()


@pytest.mark.slow
@given(st.lists(CHOSEN, max_size=30))
def test_names_of_words_and_small_numbers_never_change(names: list[str]) -> None:
    assert deploy_renames(names) == ()


@pytest.mark.slow
@given(st.text(max_size=10), st.text("a", min_size=2, max_size=2), HASHES, HASHES)
def test_patterns_are_re2_whatever_is_in_a_name(text: str, word: str, one: str, two: str) -> None:
    names = [f"{text}{word}-{one}", f"{text}{word}-{two}"]
    rules = deploy_renames(names)
    for name in names:
        found = [duckdb.execute("SELECT regexp_full_match(?, ?)", [name, rule[0]]).fetchone() for rule in rules]
        assert ((True,) in found) == (apply_renames(name, rules) != name)


@given(st.lists(st.text(max_size=40), max_size=8), STEMS)
def test_rules_are_stable_whatever_comes(names: list[str], stem: str) -> None:
    known = deploy_renames([f"{stem}-3f9ab12", f"{stem}-b81c0de", *names])
    assert apply_renames(f"{stem}-0a1b2c3", known) == stem
    again = deploy_renames([apply_renames(name, known) for name in names], known=known)
    assert again[: len(known)] == known
