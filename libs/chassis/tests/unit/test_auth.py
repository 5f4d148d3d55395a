import hashlib
import json
from pathlib import Path

import pytest
from starlette.requests import Request

from fareline_chassis.auth import Grant, TokenBook, TokensUnusable
from fareline_chassis.problems import Problem


def entry(
    token: str, *, name: str = "platform", tenants: object = ("demo",), scopes: object = ("orders:write",)
) -> dict:
    return {
        "name": name,
        "sha256": hashlib.sha256(token.encode()).hexdigest(),
        "tenants": list(tenants),
        "scopes": list(scopes),
    }


def written(path: Path, *entries: object) -> Path:
    file = path / "tokens.json"
    file.write_text(json.dumps({"tokens": entries}))
    return file


def asking(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode("latin-1"))]
    return Request({"type": "http", "headers": headers})


@pytest.fixture
def book(tmp_path: Path) -> TokenBook:
    return TokenBook.load(
        written(tmp_path, entry("one"), entry("two", name="audit", tenants=["*"], scopes=["*"])), demo=False
    )


def test_a_known_token_is_granted_what_the_file_says(book: TokenBook) -> None:
    grant = Grant("platform", frozenset({"demo"}), frozenset({"orders:write"}))
    assert book.require(asking("Bearer one"), "demo", "orders:write") == grant
    assert book.grant_for("bearer  one") == grant


def test_a_star_stands_for_all(book: TokenBook) -> None:
    grant = book.require(asking("Bearer two"), "any-tenant", "any:scope")
    assert grant.all_tenants
    assert grant.serves("x")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic one", "one", "Bearer One", "Bearer one two", "Bearer \xff\xfe"]
)
def test_no_known_token_is_401(book: TokenBook, header: str | None) -> None:
    with pytest.raises(Problem) as refused:
        book.require(asking(header), "demo", "orders:write")
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("tenant", "scope"), [("solo", "orders:write"), ("demo", "calls:read"), (None, "calls:read")])
def test_a_token_for_something_else_is_403(book: TokenBook, tenant: str | None, scope: str) -> None:
    with pytest.raises(Problem) as refused:
        book.require(asking("Bearer one"), tenant, scope)
    assert refused.value.status == 403
    assert scope in refused.value.headers["WWW-Authenticate"]


def test_a_list_across_tenants_asks_for_the_scope_alone(book: TokenBook) -> None:
    assert book.require(asking("Bearer one"), None, "orders:write").tenants == {"demo"}


def test_the_demo_token_is_for_the_demo(tmp_path: Path) -> None:
    file = written(tmp_path, entry("fareline-demo-token", name="demo"))
    with pytest.raises(TokensUnusable, match="FARELINE_DEMO=1"):
        TokenBook.load(file, demo=False)
    assert TokenBook.load(file, demo=True).grant_for("Bearer fareline-demo-token") is not None


def test_the_published_demo_file_is_readable(repository_root: Path) -> None:
    book = TokenBook.load(repository_root / "deploy" / "demo" / "tokens.json", demo=True)
    grant = book.require(asking("Bearer fareline-demo-token"), "solo", "anything")
    assert grant.tenants == {"demo", "solo"}


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([entry("a"), entry("b")], "name platform is given twice"),
        ([entry("a"), entry("a", name="other")], "is given twice"),
        ([entry("a", tenants=[])], "tokens/0/tenants"),
        ([{**entry("a"), "sha256": "abc"}], "tokens/0/sha256"),
        ([{**entry("a"), "token": "in the open"}], "tokens/0/token"),
    ],
)
def test_an_unusable_file_says_where(tmp_path: Path, entries: list[object], complaint: str) -> None:
    with pytest.raises(TokensUnusable, match=complaint) as error:
        TokenBook.load(written(tmp_path, *entries), demo=False)
    assert "in the open" not in str(error.value)


def test_a_missing_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(TokensUnusable, match=r"nowhere\.json"):
        TokenBook.load(tmp_path / "nowhere.json", demo=False)
