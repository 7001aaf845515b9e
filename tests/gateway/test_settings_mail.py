"""Mail is off unless it can be sent safely and by somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.settings import HubSettings

if TYPE_CHECKING:
    from pathlib import Path

FROM = "schakel@hub.example.org"


def test_without_a_host_there_is_none(tmp_path: Path) -> None:
    """Also where a container is given an empty one."""
    assert HubSettings(data=tmp_path).mail is None
    assert HubSettings(data=tmp_path, mail_host="", mail_from="").mail is None


def test_a_host_is_greeted_with_starttls(tmp_path: Path) -> None:
    """On the port of submission, without a user unless one is given."""
    found = HubSettings(data=tmp_path, mail_host="mail.example.org", mail_from=FROM).mail

    assert found is not None
    assert (found.port, found.security, found.sender, found.user) == (587, "starttls", FROM, None)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "mail_from"),
        ({"mail_from": "Hub <schakel@hub.example.org>"}, "mail_from"),
        ({"mail_from": f"{FROM}\nBcc: x@example.org"}, "mail_from"),
        ({"mail_from": FROM, "mail_user": "hub"}, "mail_password_file"),
        ({"mail_from": FROM, "mail_password_file": "/run/password"}, "mail_user"),
        (
            {
                "mail_from": FROM,
                "mail_user": "hub",
                "mail_password_file": "/run/password",
                "mail_security": "none",
            },
            "in the clear",
        ),
        ({"mail_from": FROM, "mail_security": "maybe"}, "mail_security"),
    ],
)
def test_what_would_not_work_is_refused(tmp_path: Path, given: dict[str, Any], named: str) -> None:
    """At the start of the process, with the setting named."""
    with pytest.raises(ValueError, match=named):
        HubSettings(data=tmp_path, mail_host="mail.example.org", **given)
