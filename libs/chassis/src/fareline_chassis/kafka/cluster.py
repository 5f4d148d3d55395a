"""Which Kafka, and how clients prove themselves to it: in the clear, over TLS, with a client certificate, by SASL."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
_FASTSTREAM = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


@dataclass(frozen=True, slots=True)
class Tls:
    """Trust `ca_file` (the system's authorities without it), and show `cert_file` with `key_file` if they are given."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return a context that checks the broker's certificate and name. Raises OSError or ssl.SSLError."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


@dataclass(frozen=True, slots=True)
class Login:
    """A SASL login; the password stands in a file, which is read for each new client."""

    mechanism: Mechanism
    username: str
    password_file: Path

    def password(self) -> str:
        """Return the password. Raises OSError."""
        return self.password_file.read_text().strip()


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """A cluster: `bootstrap` is `host:port[,host:port]`. Functions of the chassis take one, or a bare bootstrap."""

    bootstrap: str
    tls: Tls | None = None
    login: Login | None = None

    @classmethod
    def of(cls, cluster: "str | KafkaCluster") -> "KafkaCluster":
        """Return `cluster`; a bare bootstrap is one that is spoken to in the clear."""
        return cls(cluster) if isinstance(cluster, str) else cluster

    def client_options(self) -> dict[str, Any]:
        """Return what every client of aiokafka is made with. Raises OSError or ssl.SSLError for unusable files."""
        protocol = ("SASL_" if self.login else "") + ("SSL" if self.tls else "PLAINTEXT")
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": protocol}
        if self.tls is not None:
            options["ssl_context"] = self.tls.context()
        if self.login is not None:
            options["sasl_mechanism"] = self.login.mechanism
            options["sasl_plain_username"] = self.login.username
            options["sasl_plain_password"] = self.login.password()
        return options

    def faststream_security(self) -> BaseSecurity | None:
        """Return the same for a broker of FastStream; None where nothing is to be proven."""
        context = None if self.tls is None else self.tls.context()
        if self.login is None:
            return None if context is None else BaseSecurity(ssl_context=context, use_ssl=True)
        security = _FASTSTREAM[self.login.mechanism]
        return security(
            username=self.login.username,
            password=self.login.password(),
            ssl_context=context,
            use_ssl=context is not None,
        )
