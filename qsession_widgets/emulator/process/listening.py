"""Listening for other machines: address, certificate, and the sentence for students.

Programs of this machine reach it on its loopback, without a certificate. Where it has one, it
listens for others at a second port of its own, with TLS only.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ...files import write_atomically
from .connection_file import EmulatorError

LOOPBACK = "127.0.0.1"


class CannotListen(EmulatorError):
    """The address or the certificate cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Listening:
    """Options of a command line that concern other machines.

    Attributes
    ----------
    host : str
        The address of this machine to listen at.
    port : int
        The port; 0 for that of the public address, or any free one.
    public_url : str
        The address that others reach it at; empty for none.
    tls_cert, tls_key : str
        Files of the certificate, with those between it and its authority, and of its key.
    """

    host: str = LOOPBACK
    port: int = 0
    public_url: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    def arguments(self) -> list[str]:
        """The command line that says the same."""
        given = {
            "--host": self.host if self.host != LOOPBACK else "",
            "--port": str(self.port or ""),
            "--public-url": self.public_url,
            "--tls-cert": self.tls_cert,
            "--tls-key": self.tls_key,
        }
        return [word for flag, value in given.items() if value for word in (flag, value)]

    def checked(self) -> Listening:
        """The same with absolute paths and a public address without a path.

        Raises
        ------
        CannotListen
            Something of it makes no sense.
        """
        if bool(self.tls_cert) != bool(self.tls_key):
            raise CannotListen("--tls-cert and --tls-key go together: give both, or neither.")
        if not (is_loopback(self.host) or self.tls_cert):
            raise CannotListen(
                f"At {self.host} everybody on the way could read keys: give --tls-cert and "
                "--tls-key. Behind a web server that has a certificate, leave --host out."
            )
        return Listening(
            self.host,
            self.port,
            _checked_url(self.public_url) if self.public_url else "",
            *(os.path.abspath(os.path.expanduser(p)) if p else "" for p in self.files),
        )

    @property
    def files(self) -> tuple[str, str]:
        """The certificate's file and its key's."""
        return self.tls_cert, self.tls_key

    @property
    def own_port(self) -> int:
        """The port to listen at for others; 0 for any free one.

        Without a certificate, something else answers at the public address and passes on.
        """
        if self.port or not (self.public_url and self.tls_cert):
            return self.port
        return urlsplit(self.public_url).port or 443

    def url_at(self, port: int) -> str:
        """The public address, once it listens at a port."""
        if self.public_url or not self.tls_cert:
            return self.public_url
        everywhere = self.host in ("0.0.0.0", "::")
        host = socket.gethostname() if everywhere else self.host
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a command line the options of `Listening`."""
    group = parser.add_argument_group("for other machines")
    for flag, metavar, meaning in (
        ("--host", "ADDRESS", "where to listen: 0.0.0.0, with a certificate; loopback by default"),
        ("--port", "N", "at which port; that of --public-url, or a free one, when left out"),
        (
            "--public-url",
            "URL",
            "the address that others reach it at: https://lab.example.org:8443",
        ),
        ("--tls-cert", "FILE", "its certificate (PEM), with those between it and its authority"),
        ("--tls-key", "FILE", "the certificate's key (PEM)"),
    ):
        name = flag[2:].replace("-", "_")
        default = getattr(Listening, name)
        group.add_argument(flag, metavar=metavar, help=meaning, default=default, type=type(default))


def from_namespace(arguments: argparse.Namespace) -> Listening:
    """Read what `add_arguments` added; see `Listening.checked` for errors."""
    names = ("host", "port", "public_url", "tls_cert", "tls_key")
    return Listening(**{name: getattr(arguments, name) for name in names}).checked()


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("https", "http") or not host or parts.path.strip("/") or parts.query:
        raise CannotListen(
            f"--public-url is an address such as https://lab.example.org:8443, not {url!r}."
        )
    if parts.username is not None:
        raise CannotListen("--public-url holds no user name: students have keys instead.")
    if parts.scheme == "http" and not is_loopback(host):
        raise CannotListen(
            f"At {url} everybody on the way could read students' keys: get a certificate, and "
            "announce an address that begins with https://."
        )
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    """True for a name or an address of this machine's loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    CannotListen
        The port is used already, or cannot be used.
    """
    try:
        family = (
            socket.AF_INET6
            if isinstance(ipaddress.ip_address(host), ipaddress.IPv6Address)
            else socket.AF_INET
        )
    except ValueError:
        family = socket.AF_INET
    # with the protocol named, asyncio turns Nagle's algorithm off, which costs 40 ms an answer
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        # taken already while it is being prepared, so that a client that is quick waits instead of
        # failing
        sock.listen(2048)
    except (OSError, OverflowError) as error:
        sock.close()
        used = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "it is used already" if used else str(error)
        raise CannotListen(
            f"Port {port} of {host} cannot be used, because {reason}: "
            "choose another --port, or leave it out to get a free one."
        ) from error
    return sock


def tls_context(listening: Listening) -> ssl.SSLContext:
    """The TLS settings of a server with a certificate.

    Raises
    ------
    CannotListen
        A file cannot be read, or the key is another certificate's.
    """
    for flag, path in zip(("--tls-cert", "--tls-key"), listening.files, strict=True):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise CannotListen(
                f"The file of {flag}, {path}, cannot be read: {error.strerror}."
            ) from None
    locked = False

    def no_password() -> str:
        nonlocal locked
        locked = True
        return ""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(*listening.files, password=no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        cert, key = listening.files
        if locked:
            why = f"The key in {key} is locked with a password: give an unlocked copy of it."
        elif getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            why = (
                f"The key in {key} does not belong to the certificate in {cert}: give the two that "
                "were made together."
            )
        else:
            why = (
                f"{cert} and {key} hold no certificate with its key in PEM format: look which file "
                "is which."
            )
        raise CannotListen(why) from None
    return context


def shown(certificate: str, folder: Path) -> str:
    """The file of a certificate that is given to others; a copy in a folder without its key.

    Raises
    ------
    CannotListen
        The copy cannot be written.
    """
    content = Path(certificate).read_bytes()
    if b"PRIVATE KEY" not in content:
        return certificate
    copy = folder / "certificate.pem"
    found = re.findall(
        rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.+?-----END [^-]+-----", content, re.S
    )
    try:
        write_atomically(copy, b"\n".join([*found, b""]))
    except OSError as error:
        raise CannotListen(f"{copy} cannot be written: {error.strerror}.") from None
    return str(copy)


@dataclass(frozen=True)
class CertificateVerdict:
    """The judgement of a client on a certificate.

    Attributes
    ----------
    trusted : bool
        Whether any machine trusts it; otherwise students need its authority's file.
    by_itself : bool
        Whether that file is its own, for nobody else signed it.
    problem : str
        Why no client can use it, in a sentence; empty when clients can.
    """

    trusted: bool
    by_itself: bool = False
    problem: str = ""


def judge(server: ssl.SSLContext, listening: Listening, host: str) -> CertificateVerdict:
    """Look at a certificate as a client that reaches the service by a name would.

    Parameters
    ----------
    server : SSLContext
        With the certificate.
    listening : Listening
        Its files.
    host : str
        The name or address in the public address.
    """
    usual = _handshake(server, ssl.create_default_context(), host)
    if usual is None:
        return CertificateVerdict(True)
    alone = ssl.create_default_context(cafile=listening.tls_cert)
    if _handshake(server, alone, host) is None:
        return CertificateVerdict(False, by_itself=True)
    with_file = ssl.create_default_context(cafile=listening.tls_cert)
    # the certificate itself is trusted here, whoever signed it: name and dates are looked at
    with_file.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with_file.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    error = _handshake(server, with_file, host)
    if error is None:
        return CertificateVerdict(False)
    why = error.verify_message.rstrip(".")
    return CertificateVerdict(
        False, problem=f"Clients will refuse the certificate in {listening.tls_cert}: {why}."
    )


def _handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str
) -> ssl.SSLCertVerificationError | None:
    """Let a client meet a server in memory; returns why it refuses the certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error
            if end is ends[0]:
                return None
    return None
