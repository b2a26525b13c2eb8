"""The settings say all that is wrong with them at once, and never a value."""

import os

import pytest

from passerelle import settings as settings_module
from passerelle.errors.refusals import Invalid
from passerelle.settings import is_loopback, load, split_bind

SECRET = "tres-secret"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PASSERELLE_"):
            monkeypatch.delenv(name)


def said(refusal):
    return sorted((issue.rule, issue.expression) for issue in refusal.value.issues)


def test_without_any_setting_a_sqlite_file_and_a_loopback_address_are_used():
    settings = load()
    assert settings.on_sqlite
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.fhir_base_url == "http://127.0.0.1:8080/fhir"
    assert settings.ins_allow_test is False


def test_the_environment_goes_before_the_file(monkeypatch, tmp_path):
    file = tmp_path / "passerelle.toml"
    file.write_text('bind = "127.0.0.1:1111"\nlog_level = "error"\n[ins]\nallow_test = true\n')
    monkeypatch.setenv("PASSERELLE_CONFIG", str(file))
    monkeypatch.setenv("PASSERELLE_BIND", "127.0.0.1:2222")
    settings = load()
    assert (settings.port, settings.log_level, settings.ins_allow_test) == (2222, "error", True)


def test_all_faults_are_told_at_once(monkeypatch):
    monkeypatch.setenv("PASSERELLE_BODY_LIMIT", "many")
    monkeypatch.setenv("PASSERELLE_LOG_LEVEL", "loud")
    monkeypatch.setenv("PASSERELLE_BIND", "8080")
    with pytest.raises(Invalid) as refusal:
        load()
    assert said(refusal) == [
        ("settings.bind", "PASSERELLE_BIND"),
        ("settings.value", "PASSERELLE_BODY_LIMIT"),
        ("settings.value", "PASSERELLE_LOG_LEVEL"),
    ]


def test_what_does_not_go_together_is_told_at_once():
    with pytest.raises(Invalid) as refusal:
        load(
            bind="0.0.0.0:80",
            base_url="ftp://x",
            database_url="mysql://root@x",
            packages="/nowhere/at/all",
            mss_address="nobody",
        )
    assert said(refusal) == [
        ("settings.base-url", "PASSERELLE_BASE_URL"),
        ("settings.database-url", "PASSERELLE_DATABASE_URL"),
        ("settings.folder-missing", "PASSERELLE_PACKAGES"),
        ("settings.mail-address", "PASSERELLE_MSS_ADDRESS"),
        ("settings.mail-incomplete", "PASSERELLE_MSS_CA_FILE"),
        ("settings.mail-incomplete", "PASSERELLE_MSS_IMAP_HOST"),
        ("settings.mail-incomplete", "PASSERELLE_MSS_SMTP_HOST"),
        ("settings.mail-incomplete", "PASSERELLE_MSS_WHITE_LIST"),
        ("settings.open-not-loopback", "PASSERELLE_BIND"),
    ]


def test_smart_is_refused_as_not_there_yet():
    with pytest.raises(Invalid) as refusal:
        load(auth="smart")
    assert said(refusal) == [("settings.smart-not-there-yet", "PASSERELLE_AUTH")]


def test_secrets_never_print(monkeypatch):
    monkeypatch.setenv("PASSERELLE_MSS_PASSWORD", SECRET)
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"postgresql://user:{SECRET}@db/x")
    settings = load()
    assert settings.mss_password.get_secret_value() == SECRET
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_the_refusal_of_a_value_does_not_repeat_it(monkeypatch):
    monkeypatch.setenv("PASSERELLE_MSS_SMTP_PORT", SECRET)
    with pytest.raises(Invalid) as refusal:
        load()
    assert SECRET not in str(refusal.value) + str(refusal.value.issues)
    assert refusal.value.__context__ is None


def test_an_unknown_setting_in_the_file_is_told(monkeypatch, tmp_path):
    file = tmp_path / "passerelle.toml"
    file.write_text('bnid = "127.0.0.1:1"\n')
    monkeypatch.setenv("PASSERELLE_CONFIG", str(file))
    with pytest.raises(Invalid) as refusal:
        load()
    assert said(refusal) == [("settings.unknown", "PASSERELLE_BNID")]


@pytest.mark.parametrize("content", ["bind = ", b"\xff"])
def test_a_file_that_cannot_be_read_is_told(monkeypatch, tmp_path, content):
    file = tmp_path / "passerelle.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("PASSERELLE_CONFIG", str(file))
    with pytest.raises(Invalid) as refusal:
        load()
    assert said(refusal) == [("settings.config-unreadable", "PASSERELLE_CONFIG")]


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("pass.example", False),
    ],
)
def test_only_loopback_addresses_are_of_this_machine(host, only_here):
    assert is_loopback(host) is only_here


def test_an_ipv6_address_is_split_from_its_port():
    assert split_bind("[::1]:8080") == ("::1", 8080)
    assert load(bind="[::1]:8080").fhir_base_url == "http://[::1]:8080/fhir"


@pytest.mark.parametrize("bind", ["8080", "127.0.0.1", ":8080", "a:b", "u@h:1", "h:1/x", "h:99999"])
def test_what_is_no_address_with_a_port_is_refused(bind):
    with pytest.raises(ValueError, match=r"needed|[Pp]ort"):
        split_bind(bind)


def test_every_setting_is_one_variable():
    assert all(name == name.lower() for name in settings_module.Settings.model_fields)


def test_a_log_level_may_be_written_as_other_programs_do(monkeypatch):
    monkeypatch.setenv("PASSERELLE_LOG_LEVEL", "ERROR")
    assert load().log_level == "error"
