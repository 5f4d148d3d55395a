"""What can go wrong while real servers are started on one machine; every message is meant for a person."""


class DevstackError(Exception):
    """Something did not start, answer or stop; the message says what, and which log tells more."""


class StackUnavailable(DevstackError):
    """This machine can run neither variant of the stack; the message is one sentence saying what to install."""


class PortTaken(DevstackError):
    """A port that has to have a certain number is in use by somebody else."""

    def __init__(self, port: int, purpose: str, variable: str) -> None:
        """Say so, and that `variable` of the environment names another port."""
        super().__init__(
            f"port {port}, wanted for {purpose}, is taken: end what listens there, or set {variable} to another one"
        )
        self.port = port


class ProcessFailed(DevstackError):
    """A process ended or did not come up in time; the message names its log file."""
