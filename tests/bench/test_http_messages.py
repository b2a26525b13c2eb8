"""Requests written, answers parted from what stands behind them."""

import pytest

from bench.http_messages import answer, request


def test_a_request_with_a_body_says_how_long_it_is():
    made = request("POST", "/fhir/Patient", b"{}")
    head, _, body = made.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1")
    assert b"Content-Length: 2" in head
    assert body == b"{}"


def test_a_request_without_a_body_says_nothing_of_one():
    assert b"Content" not in request("GET", "/fhir/Patient/1")


@pytest.mark.parametrize(
    ("came", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
            200,
            b"ab0123456789",
        ),
    ],
)
def test_an_answer_is_read_once_it_is_whole_and_no_sooner(came, status, body):
    found = answer(came)
    assert (found.status, found.body, found.closes) == (status, body, False)
    assert all(answer(came[:end]) is None for end in range(len(came)))


def test_an_answer_says_where_a_resource_was_put_and_that_the_connection_ends():
    found = answer(b"HTTP/1.1 201 Created\r\nlocation: /P/7 \r\nConnection: close\r\n\r\n")
    assert found.location == "/P/7"
    assert found.closes
