"""What the bench will not do: load another machine, or without end."""

import pytest

from bench.__main__ import arguments_of, strangers
from bench.deep_pages import next_of
from bench.load import LoadPlan, percentile
from bench.targets import target_at


@pytest.mark.parametrize(
    "base_url",
    ["https://127.0.0.1:1/fhir", "http://hopital.example:80/fhir", "http://127.0.0.1/fhir"],
)
def test_only_servers_of_this_machine_are_loaded(base_url):
    with pytest.raises(ValueError, match="this machine"):
        target_at("x", base_url)


@pytest.mark.parametrize(
    "plan", [("192.0.2.1", 80, 1, 1.0), ("127.0.0.1", 80, 9_999, 1.0), ("127.0.0.1", 80, 1, 1e9)]
)
def test_a_load_is_bounded(plan):
    with pytest.raises(ValueError, match=r"this machine|too much"):
        LoadPlan(*plan)


def test_any_server_is_named_by_its_address_with_its_processes():
    given = ["--base-url", "http://127.0.0.1:8081/fhir/", "--name", "hapi", "--pid", "12,13"]
    (target,) = strangers(arguments_of(given))
    assert (target.name, target.host, target.port) == ("hapi", "127.0.0.1", 8081)
    assert (target.path, target.roots) == ("/fhir", (12, 13))


def test_the_next_page_is_found_among_the_links():
    links = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "http://h/f?a=1&b=2"}]
    assert next_of({"link": links}) == "/f?a=1&b=2"
    assert next_of({}) is None


def test_percentiles_are_of_what_was_counted():
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([], 0.99) == 0.0
