"""Services that somebody else runs and this user has joined, such as a teacher's emulator.

Each is one file with its address and the user's key, which only that user can read, beside the
certificate of its authority where the user gave one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_data_dir

from ..errors import UserError
from ..explanations import nearest
from ..files import parse_json, private_folder, write_atomically
from ..messages import joining

if TYPE_CHECKING:
    import requests

USUAL_NAME = "class"
RESERVED = ("all", "auto", "ibm", "local")
"""Names that mean something else behind ``--service``."""

CONNECT_SECONDS, READ_SECONDS = 5.0, 15.0


@dataclass(frozen=True)
class JoinedService:
    """A service that this user has joined.

    Attributes
    ----------
    name : str
        This user's name for it.
    url : str
        Its address, without a path.
    key : str
        This user's key.
    crn : str
        This user's instance.
    user : str
        The name that the service knows this user by.
    authority : str
        File of the certificate that makes its own trusted; empty where any machine trusts it.
    """

    name: str
    url: str
    key: str = field(repr=False)
    crn: str
    user: str = ""
    authority: str = ""

    @property
    def api(self) -> str:
        """The address of its REST API, as the client is given it."""
        return f"{self.url}/experimental/api/v1"

    def environment(self) -> dict[str, str]:
        """Variables that the client library reads while it is constructed for this service."""
        return {
            "QISKIT_IBM_URL": self.api,
            "IAM_URL": self.url,
            "GLOBAL_SEARCH_URL": self.url,
            "GLOBAL_CATALOG_URL": f"{self.url}/catalog",
            "USAGE_DATA_OPT_OUT": os.environ.get("USAGE_DATA_OPT_OUT", "True"),
        }


def join(url: str, key: str, name: str = USUAL_NAME, authority: str = "") -> JoinedService:
    """Look whether a service knows a key, and save both for this user only.

    Parameters
    ----------
    url, key : str
        As the service's owner gave them.
    name : str
        The name to use it by.
    authority : str
        File of the certificate of the authority that signed its own; empty for a usual one.

    Raises
    ------
    UserError
        The name is taken, or the service cannot be reached, is not trusted, or refuses the key.
    """
    _check_name(name)
    url = _checked_url(url)
    if not key or key != key.strip() or not key.isascii() or not key.isprintable():
        raise UserError(joining.NO_KEY)
    if authority:
        authority = str(Path(authority).expanduser())
        _check_authority(authority)
    found = _ask(url, key, authority)
    folder = private_folder(_folder())
    kept = ""
    try:
        if authority:
            # a copy, so that it is there when the one in the downloads is not any more; named by
            # its content, for connections that are open hold on to it whatever is left and joined
            content = Path(authority).read_bytes()
            copy = folder / f"authority-{hashlib.sha256(content).hexdigest()[:16]}.pem"
            write_atomically(copy, content)
            kept = str(copy)
        crn, user = str(found["crn"]), str(found.get("name") or "")
        service = JoinedService(name, url, key, crn, user, kept)
        write_atomically(folder / f"{name}.json", json.dumps(asdict(service)), durable=True)
    except OSError as error:
        raise UserError(joining.cannot_save(name, folder, error.strerror)) from None
    return service


def leave(name: str) -> JoinedService:
    """Forget a service and the key for it; returns what it was.

    The certificate of its authority stays, which is no secret: open sessions are closed by it.

    Raises
    ------
    UserError
        No service of that name was joined.
    """
    service = find(name)
    with contextlib.suppress(FileNotFoundError):
        (_folder() / f"{name}.json").unlink()
    return service


def everyone() -> list[JoinedService]:
    """Every service that this user has joined, by name; asks none of them."""
    found = []
    for path in sorted(_folder().glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            found.append(JoinedService(**parse_json(path.read_text("utf-8"))))
    return found


def names() -> list[str]:
    """Names of the services that this user has joined."""
    return [service.name for service in everyone()]


def find(name: str) -> JoinedService:
    """The service that was joined under a name.

    Raises
    ------
    UserError
        There is none.
    """
    known = {service.name: service for service in everyone()}
    if name in known:
        return known[name]
    raise UserError(joining.not_joined(name, nearest(name, list(known)), known))


def is_joined(url: str) -> bool:
    """True for an address of a service that this user has joined."""
    return any(url.startswith(f"{service.url}/") for service in everyone())


def proxies_for(url: str) -> dict[str, str]:
    """The proxies of this machine's settings for an address."""
    from requests.utils import get_environ_proxies

    return dict(get_environ_proxies(url, no_proxy=None))


def send_keys_only_home(service: JoinedService) -> None:
    """Have the client library ask a joined service for tokens with the key for it, and no other.

    The library reads where it asks for them from the environment of the process, which another
    thread may be changing for another service just then. It trusts the service's certificate there,
    and nowhere else: an authority of a class has no say on IBM's certificates. The library passes a
    file on to its connections, where ``REQUESTS_CA_BUNDLE`` would win over it, and passes none on
    where it asks for a token.
    """
    from ibm_cloud_sdk_core.token_managers.iam_token_manager import IAMTokenManager
    from qiskit_ibm_runtime.api.session import RetrySession

    from .transport import own_authority_first

    _AUTHORITIES.setdefault(service.url, {})[service.key] = service.authority
    if "_request" in vars(IAMTokenManager):
        return
    usual: Callable[..., Any] = IAMTokenManager._request

    def request(manager: Any, *words: Any, **options: Any) -> Any:
        keys = _AUTHORITIES.get(manager.url)
        if keys is not None:
            if manager.apikey not in keys and not _is_own(manager.url):
                raise UserError(joining.ANOTHER_KEY)
            options |= {"timeout": (CONNECT_SECONDS, READ_SECONDS), "allow_redirects": False}
            if authority := keys.get(manager.apikey):
                options["verify"] = authority
        return usual(manager, *words, **options)

    IAMTokenManager._request = request
    RetrySession.merge_environment_settings = own_authority_first


_AUTHORITIES: dict[str, dict[str, str]] = {}
"""Addresses, keys that are sent there, and the file that makes the certificate trusted."""


def _is_own(url: str) -> bool:
    """True for an emulator of this user's, which may know several keys."""
    from ..emulator.process import connection_file

    return any(connection.url == url for connection in connection_file.everyone())


def _folder() -> Path:
    return Path(jupyter_data_dir()) / "qsession-services"


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) or name in RESERVED:
        raise UserError(joining.bad_name(name, RESERVED))
    taken = next((service for service in everyone() if service.name == name), None)
    if taken is not None:
        raise UserError(joining.name_taken(name, taken.url))


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise UserError(joining.NO_ADDRESS)
    if parts.scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        raise UserError(joining.no_tls(url))
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def _check_authority(file: str) -> None:
    import ssl

    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        why = joining.NO_CERTIFICATE
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
            why = str(error.strerror)
        raise UserError(joining.bad_authority(file, why)) from None


def _ask(url: str, key: str, authority: str) -> dict[str, Any]:
    """The instance that a key reaches, as the service lists it."""
    import requests

    try:
        with requests.Session() as session:
            response = session.post(
                f"{url}/v3/resources/search",
                json={},
                headers={"Authorization": f"apikey {key}"},
                # no .netrc, and no way to anywhere else: the key is for this address only
                auth=lambda request: request,
                allow_redirects=False,
                verify=authority or None,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
    except requests.exceptions.SSLError as error:
        raise UserError(_untrusted(url, error, authority)) from None
    except requests.RequestException:
        raise UserError(joining.no_answer(url)) from None
    if response.status_code == 401:
        raise UserError(joining.unknown_key(url))
    try:
        found = response.json()["items"]
        instances = [dict(item) for item in found if item["doc"]["extensions"]["emulated"]]
    except (ValueError, LookupError, TypeError):
        instances = []
    if not instances:
        raise UserError(joining.no_service(url))
    if instances[1:] or instances[0].get("name") == "default":
        raise UserError(joining.owners_key(url))
    return instances[0]


def _untrusted(url: str, error: requests.exceptions.SSLError, authority: str) -> str:
    found = re.search(r"certificate verify failed: ([^(]+?)\.? \(", str(error))
    why = found[1] if found else ""
    if "wrong version number" in str(error).lower() or not found:
        return joining.unreached(url, why)
    if authority or not re.search("self.signed|issuer", why):
        return joining.not_accepted(url, why)
    return joining.not_trusted(url, why)
