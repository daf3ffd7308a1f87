"""Downloading one file from a server that works, stutters, lies or is away."""

from __future__ import annotations

import functools
import random
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.catalogue.download import Retries, download
from models.errors import ModelError

CONTENT = random.Random(1).randbytes(300_000)
HASTY = Retries(attempts=3, backoff=0.001)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.zip"


@pytest.fixture
def url(server: Any) -> str:
    server.files["/model.zip"] = CONTENT
    return f"{server.url}/model.zip"


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.glob("model.zip*"))


def test_a_file_arrives_whole_and_the_progress_is_told(url: str, target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    download(url, target, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert seen[0] == (0, 300_000)
    assert seen[-1] == (300_000, 300_000)
    assert leftovers(target) == ["model.zip"]


def test_a_cut_connection_is_resumed_where_it_broke(server: Any, url: str, target: Path) -> None:
    server.cuts = [100_000, 50_000]
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT
    assert server.requests == [
        ("/model.zip", None, None),
        ("/model.zip", "bytes=100000-", '"one"'),
        ("/model.zip", "bytes=150000-", '"one"'),
    ]


def test_a_server_that_ignores_ranges_makes_it_start_again(
    server: Any, url: str, target: Path
) -> None:
    server.cuts, server.ignore_ranges = [100_000], True
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT
    assert server.requests[1] == ("/model.zip", "bytes=100000-", '"one"')


def test_a_file_replaced_meanwhile_is_not_mixed_with_the_old_one(
    server: Any, url: str, target: Path
) -> None:
    server.cuts = [100_000] * 3
    server.ignore_ranges = True
    with pytest.raises(ModelError):
        download(url, target, retries=HASTY)
    server.ignore_ranges = False
    server.files["/model.zip"], server.etag = CONTENT[::-1], '"two"'
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT[::-1]


def test_another_range_than_asked_for_is_not_used(server: Any, url: str, target: Path) -> None:
    server.cuts, server.wrong_start = [100_000], True
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT


def test_without_a_validator_it_starts_again(server: Any, url: str, target: Path) -> None:
    server.etag, server.cuts = None, [100_000]
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT
    assert server.requests[1] == ("/model.zip", None, None)


def test_a_weak_tag_is_no_validator_but_a_date_is(server: Any, url: str, target: Path) -> None:
    server.etag, server.cuts = 'W/"one"', [100_000]
    server.last_modified = "Wed, 21 Oct 2015 07:28:00 GMT"
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT
    assert server.requests[1] == ("/model.zip", "bytes=100000-", server.last_modified)


def test_it_gives_up_in_bounded_time_and_the_next_call_continues(
    server: Any, url: str, target: Path
) -> None:
    server.cuts = [1_000] * 3
    with pytest.raises(ModelError, match=r"can't be fetched: .*; check the network"):
        download(url, target, retries=HASTY)
    assert len(server.requests) == 3
    assert leftovers(target) == ["model.zip.part", "model.zip.part.tag"]
    download(url, target, retries=HASTY)
    assert server.requests[3][1] == "bytes=3000-"
    assert target.read_bytes() == CONTENT


def test_attempts_that_bring_much_do_not_count_as_failures(
    server: Any, url: str, target: Path
) -> None:
    server.files["/model.zip"] = CONTENT * 21
    server.cuts = [1 << 20] * 5
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT * 21


def test_what_was_complete_but_not_renamed_is_taken(server: Any, url: str, target: Path) -> None:
    target.with_name("model.zip.part").write_bytes(CONTENT)
    target.with_name("model.zip.part.tag").write_text('"one"')
    download(url, target)
    assert target.read_bytes() == CONTENT
    assert server.requests == [("/model.zip", "bytes=300000-", '"one"')]


def test_a_part_longer_than_the_file_is_fetched_anew(url: str, target: Path) -> None:
    target.with_name("model.zip.part").write_bytes(CONTENT + b"more")
    target.with_name("model.zip.part.tag").write_text('"one"')
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT


def test_a_missing_file_is_an_error_at_once(server: Any, target: Path) -> None:
    with pytest.raises(ModelError, match=r"/gone.zip can't be fetched: HTTP 404 Not Found"):
        download(f"{server.url}/gone.zip", target, retries=HASTY)
    assert len(server.requests) == 1
    assert leftovers(target) == []


def test_a_busy_server_is_asked_again(server: Any, url: str, target: Path) -> None:
    server.statuses = [503, 429]
    download(url, target, retries=HASTY)
    assert target.read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_an_error(server: Any, url: str, target: Path) -> None:
    server.statuses = [503] * 3
    with pytest.raises(ModelError, match="HTTP 503 Service Unavailable"):
        download(url, target, retries=HASTY)


def test_redirects_are_followed_with_the_range(server: Any, url: str, target: Path) -> None:
    server.redirects["/old.zip"] = url
    server.cuts = [100_000]
    download(f"{server.url}/old.zip", target, retries=HASTY)
    assert target.read_bytes() == CONTENT
    assert server.requests[-1] == ("/model.zip", "bytes=100000-", '"one"')


def test_a_redirect_to_an_unprotected_address_is_refused(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://elsewhere/model.zip"})
        return httpx.Response(200, content=CONTENT)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=transport))
    with pytest.raises(ModelError, match="redirects to the unprotected http://elsewhere"):
        download("https://here/model.zip", target)
    assert leftovers(target) == []


def test_a_body_compressed_against_the_wish_is_refused(server: Any, url: str, target: Path) -> None:
    server.encoding = "gzip"
    with pytest.raises(ModelError, match="was sent compressed"):
        download(url, target)
    assert leftovers(target) == []


def test_a_circle_of_redirects_is_an_error(server: Any, target: Path) -> None:
    server.redirects["/a.zip"] = "/a.zip"
    with pytest.raises(ModelError, match="redirects in a circle"):
        download(f"{server.url}/a.zip", target)


def test_another_size_than_listed_is_refused_before_the_body(url: str, target: Path) -> None:
    with pytest.raises(ModelError, match="has 300000 bytes, not 299999 as listed"):
        download(url, target, size=299_999)
    assert leftovers(target) == []


def test_a_server_that_sends_more_than_listed_is_stopped(
    server: Any, url: str, target: Path
) -> None:
    server.chunked = True
    with pytest.raises(ModelError, match="sends more than the 1000 bytes"):
        download(url, target, size=1_000)
    assert not target.exists()


def test_a_body_of_unknown_size_arrives(server: Any, url: str, target: Path) -> None:
    server.chunked = True
    download(url, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ['"one"', None])
def test_a_short_body_of_unknown_size_is_noticed_by_the_listed_size(
    server: Any, url: str, target: Path, etag: str | None
) -> None:
    server.chunked, server.etag = True, etag
    with pytest.raises(ModelError, match=r"300000 (bytes, not|of) 300001"):
        download(url, target, size=300_001, retries=HASTY)
    assert not target.exists()


def test_a_full_disk_is_named_and_left_usable(url: str, target: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which Linux has")
    part = target.with_name("model.zip.part")
    part.symlink_to(full)
    with pytest.raises(ModelError, match=r"no space for 0 MB in .*: free some"):
        download(url, target, size=300_000)
    assert leftovers(target) == []


def test_no_server_is_an_error_that_names_the_url(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/model.zip"
        with pytest.raises(ModelError, match=f"{url} can't be fetched"):
            download(url, target, retries=HASTY)


def test_a_folder_that_is_none_is_an_error(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="can't be written"):
        download(url, tmp_path / "file" / "model.zip")
