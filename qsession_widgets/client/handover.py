"""Hands a service client over to another process: address and credentials as JSON.

The receiving process needs neither the client library nor IBM's: it exchanges the API key for a
token by itself, and again when the token has expired.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import requests
from requests.auth import AuthBase

from .rest import CONNECT_SECONDS, ServiceClient

GRANT = "urn:ibm:params:oauth:grant-type:apikey"
TOKEN_SECONDS = 15.0
"""Seconds to wait for a token."""
MARGIN = 60.0
"""Seconds before its end from which on a token is not used any more."""


def packed(client: ServiceClient) -> dict[str, Any]:
    """Address and credentials of a service client, as JSON; they are secret."""
    http = client._http
    data = {
        "url": client.base_url,
        "verify": http.verify,
        "proxies": dict(http.proxies),
        "trust_env": http.trust_env,
    }
    tokens = getattr(http.auth, "tm", None)
    if hasattr(http.auth, "api_key") and hasattr(tokens, "url"):
        auth: Any = http.auth
        data["account"] = {"key": auth.api_key, "crn": auth.crn, "iam": auth.tm.url}
    else:
        signed = http.prepare_request(requests.Request("GET", client.base_url))
        data["headers"] = {
            name: str(signed.headers[name])
            for name in ("Authorization", "Service-CRN")
            if name in signed.headers
        }
    return data


def unpacked(data: Mapping[str, Any]) -> ServiceClient:
    """A service client for what `packed` has described."""
    client = ServiceClient.__new__(ServiceClient)
    client._connect(data["url"])
    http = client._http
    http.verify, http.trust_env = data["verify"], data["trust_env"]
    http.proxies = dict(data["proxies"])
    http.headers.update(data.get("headers", {}))
    if "account" in data:
        http.auth = KeyAuth(**data["account"], verify=data["verify"], proxies=data["proxies"])
    return client


class KeyAuth(AuthBase):
    """Signs requests with a token that an API key is exchanged for.

    Parameters
    ----------
    key, crn : str
        The API key, and the instance.
    iam : str
        Address of the service that gives tokens.
    verify : bool or str
        As of `requests.Session`.
    proxies : mapping
        As of `requests.Session`.

    Attributes
    ----------
    tm : SimpleNamespace
        The token and its end, as `qsession_widgets.client.transport` knows them.
    """

    def __init__(
        self, key: str, crn: str, iam: str, *, verify: bool | str, proxies: Mapping[str, str]
    ):
        self._key, self._crn, self._iam = key, crn, iam
        self._verify, self._proxies = verify, dict(proxies)
        self.tm = SimpleNamespace(access_token="", expire_time=0.0, refresh_time=0.0)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request; see `requests.RequestException` where there is no token to be had."""
        if time.monotonic() >= self.tm.expire_time - MARGIN:
            self._exchange()
        request.headers["Authorization"] = f"Bearer {self.tm.access_token}"
        request.headers["Service-CRN"] = self._crn
        return request

    def _exchange(self) -> None:
        response = requests.post(
            f"{self._iam}/identity/token",
            data={"grant_type": GRANT, "apikey": self._key, "response_type": "cloud_iam"},
            headers={"Accept": "application/json"},
            timeout=(CONNECT_SECONDS, TOKEN_SECONDS),
            verify=self._verify,
            proxies=self._proxies,
        )
        response.raise_for_status()
        try:
            answer = response.json()
            token, seconds = str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise requests.exceptions.InvalidJSONError("The token cannot be read.") from error
        self.tm.access_token, self.tm.expire_time = token, time.monotonic() + seconds
