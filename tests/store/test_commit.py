"""What a commit does and refuses, on both databases."""

from typing import Any

import pytest

from passerelle.errors.refusals import Conflict, PasserelleError, PreconditionFailed
from passerelle.fhir.resource import Key
from passerelle.fhir.search.query import parse_criteria
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import (
    Claim,
    Delete,
    DossierExpectation,
    Expectation,
    Outcome,
    Put,
    Stale,
    Store,
    Unit,
    Version,
)
from passerelle.store.outbox import NewJob

pytestmark = pytest.mark.anyio

ONE = Key("Patient", "1")


async def commit(store: Store, *writes: Put | Delete, **rest: Any) -> tuple[Outcome, ...]:
    return await store.commit(Unit(writes=writes, **rest), SYSTEM)


async def head(store: Store, key: Key = ONE) -> Version:
    found = await store.read(key, SYSTEM)
    assert found is not None
    return found


async def designated(store: Store, criteria: str) -> tuple[str, ...]:
    return await store.matching(parse_criteria("Patient", criteria), SYSTEM, limit=10)


async def expected(store: Store, criteria: str) -> Expectation:
    query = parse_criteria("Patient", criteria)
    return Expectation(query, await store.matching(query, SYSTEM, limit=2), lock=criteria)


async def test_a_put_creates_then_updates(store: Store, draft: Any) -> None:
    (first,) = await commit(store, Put(draft("1", language="fr")))
    (second,) = await commit(store, Put(draft("1", language="en")))
    assert (first.action, second.action) == ("created", "updated")
    assert first.version is not None
    assert second.version is not None
    assert second.version.version == 2
    assert second.version.pid == first.version.pid
    assert second.version.at > first.version.at
    assert second.version.seq > first.version.seq
    assert second.version.tx > first.version.tx
    assert await head(store) == second.version


async def test_identical_content_makes_no_version(store: Store, draft: Any) -> None:
    (made,) = await commit(store, Put(draft("1", language="fr")))
    (kept,) = await commit(store, Put(draft("1", language="fr")))
    assert kept == Outcome("kept", made.version)
    assert len(await store.history(ONE, SYSTEM, count=10)) == 1


async def test_a_change_moves_what_is_found(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", shared="a", gender="male")))
    await commit(store, Put(draft("1", shared="b", gender="male")))
    assert await designated(store, "identifier=urn:shared|a") == ()
    assert await designated(store, "identifier=urn:shared|b") == ("1",)
    assert await designated(store, "gender=male") == ("1",)


async def test_a_deletion_is_a_version_without_body(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", shared="a", own="a")))
    (gone,) = await commit(store, Delete(ONE))
    assert gone.action == "deleted"
    assert gone.version is not None
    assert (gone.version.version, gone.version.body) == (2, None)
    assert await head(store) == gone.version
    assert await designated(store, "identifier=urn:shared|a") == ()
    assert await store.claimed("Patient", Claim("urn:own", "a"), SYSTEM) is None


async def test_deleting_again_or_nothing_is_no_version(store: Store, draft: Any) -> None:
    assert await commit(store, Delete(ONE)) == (Outcome("absent", None),)
    await commit(store, Put(draft("1")))
    (gone,) = await commit(store, Delete(ONE))
    assert await commit(store, Delete(ONE)) == (gone,)
    assert (await head(store)).version == 2


async def test_what_comes_back_goes_on_counting(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", shared="a")))
    await commit(store, Delete(ONE))
    (back,) = await commit(store, Put(draft("1", shared="a")))
    assert back.action == "created"
    assert back.version is not None
    assert back.version.version == 3
    assert await designated(store, "identifier=urn:shared|a") == ("1",)


@pytest.mark.parametrize("given", [1, 3])
async def test_if_match_of_another_version_is_refused(store: Store, draft: Any, given: int) -> None:
    await commit(store, Put(draft("1", language="fr")))
    await commit(store, Put(draft("1", language="en")))
    for write in (Put(draft("1", language="de"), if_match=given), Delete(ONE, given)):
        with pytest.raises(PreconditionFailed) as refusal:
            await commit(store, write)
        assert [said.rule for said in refusal.value.issues] == ["record.version-conflict"]
        assert refusal.value.issues[0].expression is None
    assert (await head(store)).version == 2


async def test_if_match_of_the_current_version_passes(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", language="fr")))
    (updated,) = await commit(store, Put(draft("1", language="en"), if_match=1))
    (kept,) = await commit(store, Put(draft("1", language="en"), if_match=2))
    (gone,) = await commit(store, Delete(ONE, 2))
    assert [updated.action, kept.action, gone.action] == ["updated", "kept", "deleted"]


async def test_if_match_of_what_is_absent_or_deleted_is_refused(store: Store, draft: Any) -> None:
    for write in (Put(draft("1"), if_match=1), Delete(ONE, 1)):
        with pytest.raises(PreconditionFailed):
            await commit(store, write)
    await commit(store, Put(draft("1")))
    await commit(store, Delete(ONE))
    for write in (Put(draft("1"), if_match=2), Delete(ONE, 2)):
        with pytest.raises(PreconditionFailed):
            await commit(store, write)


async def test_what_must_be_new_may_not_be_there(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", language="fr"), "POST", must_be_new=True))
    with pytest.raises(Conflict) as refusal:
        await commit(store, Put(draft("1", language="en"), "POST", must_be_new=True))
    assert refusal.value.issues[0].rule == "record.exists"
    await commit(store, Delete(ONE))
    (back,) = await commit(store, Put(draft("1"), "POST", must_be_new=True))
    assert back.version is not None
    assert back.version.version == 3


async def test_an_identifier_belongs_to_one_resource(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", own="a"), must_be_new=True))
    for must_be_new in (True, False):
        with pytest.raises(Conflict) as refusal:
            await commit(store, Put(draft("2", own="a"), must_be_new=must_be_new))
        (said,) = refusal.value.issues
        assert (said.rule, said.expression) == ("record.identifier-taken", "Patient.identifier")
    assert await store.read(Key("Patient", "2"), SYSTEM) is None
    await commit(store, Put(draft("1", own="a", language="fr")))
    assert await store.claimed("Patient", Claim("urn:own", "a"), SYSTEM) == ONE


async def test_an_identifier_is_free_for_another_type(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", own="a")))
    await commit(store, Put(draft("1", type="Organization", own="a")))
    found = await store.claimed("Organization", Claim("urn:own", "a"), SYSTEM)
    assert found == Key("Organization", "1")


async def test_an_identifier_let_go_is_free(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", own="a")), Put(draft("3", own="c")))
    await commit(store, Put(draft("1", own="b")))
    await commit(store, Delete(Key("Patient", "3")))
    await commit(store, Put(draft("2", own="a")), Put(draft("4", own="c")))
    assert await store.claimed("Patient", Claim("urn:own", "a"), SYSTEM) == Key("Patient", "2")
    assert await store.claimed("Patient", Claim("urn:own", "b"), SYSTEM) == ONE
    assert await store.claimed("Patient", Claim("urn:own", "c"), SYSTEM) == Key("Patient", "4")


async def test_two_may_exchange_their_identifiers_in_one_unit(store: Store, draft: Any) -> None:
    two = Key("Patient", "2")
    await commit(store, Put(draft("1", own="a")), Put(draft("2", own="b")))
    await commit(store, Put(draft("1", own="b")), Put(draft("2", own="a")))
    assert await store.claimed("Patient", Claim("urn:own", "a"), SYSTEM) == two
    assert await store.claimed("Patient", Claim("urn:own", "b"), SYSTEM) == ONE


async def test_one_unit_may_not_claim_twice(store: Store, draft: Any) -> None:
    with pytest.raises(Conflict) as refusal:
        await commit(store, Put(draft("1", own="a")), Put(draft("2", own="a")))
    assert [said.expression for said in refusal.value.issues] == ["writes[1]"]
    assert await store.read(ONE, SYSTEM) is None


async def test_a_unit_is_all_or_nothing_and_tells_all_its_faults(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1")), Put(draft("2")))
    with pytest.raises(PreconditionFailed) as refusal:
        await commit(
            store,
            Put(draft("3")),
            Put(draft("1", language="fr"), if_match=7),
            Delete(Key("Patient", "2"), 9),
            jobs=(NewJob("k", "s", b"{}", 0),),
        )
    assert [said.expression for said in refusal.value.issues] == ["writes[1]", "writes[2]"]
    assert await store.read(Key("Patient", "3"), SYSTEM) is None
    assert await store.jobs("s") == []
    assert (await head(store)).version == 1


async def test_a_unit_may_write_a_key_twice(store: Store, draft: Any) -> None:
    first, gone, back, kept = await commit(
        store,
        Put(draft("1", shared="a", own="x")),
        Delete(ONE),
        Put(draft("1", shared="b", own="y")),
        Put(draft("1", shared="b", own="y")),
    )
    actions = [outcome.action for outcome in (first, gone, back, kept)]
    assert actions == ["created", "deleted", "created", "kept"]
    assert kept.version == back.version == await head(store)
    history = await store.history(ONE, SYSTEM, count=10)
    assert [version.version for version in history] == [3, 2, 1]
    assert await designated(store, "identifier=urn:shared|a") == ()
    assert await designated(store, "identifier=urn:shared|b") == ("1",)
    assert await store.claimed("Patient", Claim("urn:own", "x"), SYSTEM) is None


async def test_created_and_deleted_in_one_unit_is_deleted(store: Store, draft: Any) -> None:
    await commit(store, Put(draft("1", shared="a")), Delete(ONE))
    assert (await head(store)).body is None
    assert await designated(store, "identifier=urn:shared|a") == ()


async def test_all_of_a_unit_has_one_transaction_and_instant(store: Store, draft: Any) -> None:
    done = await commit(store, *(Put(draft(str(number))) for number in range(5)))
    versions = [outcome.version for outcome in done if outcome.version]
    assert len({version.tx for version in versions}) == 1
    assert len({version.at for version in versions}) == 1
    assert [version.seq for version in versions] == sorted(version.seq for version in versions)


async def test_instants_never_go_back(store: Store, draft: Any, clock: Any) -> None:
    (first,) = await commit(store, Put(draft("1", language="fr")))
    clock.now -= 3_600_000_000
    (other,) = await commit(store, Put(draft("2"), must_be_new=True))
    (second,) = await commit(store, Put(draft("1", language="en")))
    assert first.version is not None
    assert other.version is not None
    assert second.version is not None
    assert first.version.at <= other.version.at
    assert first.version.at < second.version.at


async def test_a_condition_that_still_holds_passes(store: Store, draft: Any) -> None:
    none = await expected(store, "identifier=urn:shared|a")
    await commit(store, Put(draft("1", shared="a")), expectations=(none,))
    one = await expected(store, "identifier=urn:shared|a")
    assert one.ids == ("1",)
    await commit(store, Put(draft("1", shared="a", language="fr")), expectations=(one,))


async def test_a_condition_that_changed_is_stale(store: Store, draft: Any) -> None:
    none = await expected(store, "identifier=urn:shared|a")
    await commit(store, Put(draft("1", shared="a")))
    with pytest.raises(Stale):
        await commit(store, Put(draft("2", shared="a")), expectations=(none,))
    one = await expected(store, "identifier=urn:shared|a")
    await commit(store, Put(draft("2", shared="a")))
    with pytest.raises(Stale):
        await commit(store, Put(draft("1", shared="z")), expectations=(one,))
    await commit(store, Delete(ONE), Delete(Key("Patient", "2")))
    with pytest.raises(Stale):
        await commit(store, Put(draft("1", shared="z")), expectations=(one,))


async def test_a_dossier_that_was_written_to_is_stale(store: Store, draft: Any) -> None:
    new = DossierExpectation("s|1", None)
    await commit(store, Put(draft("1", dossier="s|1")), dossiers=(new,))
    with pytest.raises(Stale):
        await commit(store, Put(draft("2", dossier="s|1")), dossiers=(new,))
    seen = DossierExpectation("s|1", await store.dossier_seq("s|1", SYSTEM))
    await commit(store, Put(draft("2", dossier="s|1")), dossiers=(seen,))
    seen = DossierExpectation("s|1", await store.dossier_seq("s|1", SYSTEM))
    await commit(store, Delete(ONE))
    with pytest.raises(Stale):
        await commit(store, Put(draft("3", dossier="s|1")), dossiers=(seen,))


async def test_a_refused_unit_harms_no_other(store: Store, draft: Any) -> None:
    import asyncio

    await commit(store, Put(draft("0", own="taken")))

    async def attempt(number: int) -> str:
        bad = number % 3 == 0
        write = Put(draft(f"p{number}", own="taken" if bad else f"o{number}"))
        try:
            (done,) = await commit(store, write)
        except PasserelleError as refusal:
            return refusal.issues[0].rule
        return done.action

    said = await asyncio.gather(*(attempt(number) for number in range(30)))
    wanted = ["record.identifier-taken" if n % 3 == 0 else "created" for n in range(30)]
    assert said == wanted
    for number in range(30):
        found = await store.read(Key("Patient", f"p{number}"), SYSTEM)
        assert (found is None) == (number % 3 == 0)


async def test_a_unit_that_cannot_be_bound_harms_no_other(store: Store, draft: Any) -> None:
    """A text that no database takes is a fault of ours: it fails alone."""
    import asyncio

    lone = draft("bad")
    lone = type(lone)(**{name: getattr(lone, name) for name in lone.__slots__} | {"blob": "\ud800"})
    units = [Put(draft("1")), Put(lone), Put(draft("2"))]
    done = await asyncio.gather(*(commit(store, write) for write in units), return_exceptions=True)
    assert isinstance(done[1], Exception)
    assert [done[0][0].action, done[2][0].action] == ["created", "created"]  # type: ignore[index]
    assert await store.read(Key("Patient", "2"), SYSTEM) is not None
    assert await store.read(Key("Patient", "bad"), SYSTEM) is None


async def test_what_stands_apart_is_kept_beside_the_body(store: Store, draft: Any) -> None:
    made = draft("1")
    apart = type(made)(**{name: getattr(made, name) for name in made.__slots__} | {"aside": b"{}"})
    await commit(store, Put(apart, must_be_new=True))
    found = await head(store)
    assert found.aside == b"{}"


async def test_a_draft_made_beside_another_version_is_stale(store, draft):
    await commit(store, Put(draft("p1")))
    for beside in (0, 2):
        with pytest.raises(Stale):
            await commit(store, Put(draft("p1", gender="male"), beside=beside))
    await commit(store, Put(draft("p1", gender="male"), beside=1))
    with pytest.raises(Stale):
        await commit(store, Put(draft("p2"), beside=1))
    await commit(store, Put(draft("p2"), beside=0))
