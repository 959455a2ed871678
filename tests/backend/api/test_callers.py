"""Where a request comes from: believed of our own proxies only."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request

from backend.api.callers import Callers
from backend.settings import InvalidSettings, load_settings

OURS = (ip_network("127.0.0.1"), ip_network("::1"), ip_network("10.1.0.0/16"))


@pytest.mark.parametrize(
    ("remote", "forwarded", "caller"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.1"], "198.51.100.7"),
        ("127.0.0.1", [], ""),
        ("127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["1.2.3.4, 203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["1.2.3.4", "203.0.113.1,10.1.2.3"], "203.0.113.1"),
        ("10.1.9.9", ["203.0.113.1"], "203.0.113.1"),
        ("10.2.9.9", ["203.0.113.1"], "10.2.9.9"),
        ("127.0.0.1", ["203.0.113.1, unknown"], ""),
        ("127.0.0.1", ["203.0.113.1, "], ""),
        ("127.0.0.1", ["203.0.113.1" + ", 10.1.0.1" * 500], ""),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", [], "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", [], "198.51.100.7"),
        ("::ffff:127.0.0.1", ["fe80::1%eth0"], "fe80::/64"),
        ("", ["203.0.113.1"], ""),
    ],
)
def test_the_address_behind_our_proxies(remote: str, forwarded: list[str], caller: str) -> None:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    assert Callers(OURS).of(request) == caller


def test_the_setting_names_networks() -> None:
    settings = load_settings({"QIFU_TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16"})
    assert settings.proxy_networks == (ip_network("127.0.0.1"), ip_network("10.1.0.0/16"))
    for wrong in ("localhost", "10.1.0.1/8", "127.0.0.1;::1"):
        with pytest.raises(InvalidSettings, match="QIFU_TRUSTED_PROXIES"):
            load_settings({"QIFU_TRUSTED_PROXIES": wrong})
