"""Become another program whose life ends with this one's parent: `python tether.py <parent> <signal> <user> <argv…>`.

Run as a file by `processes.spawn`, before the program itself, so that nothing has to happen between fork and exec in a
parent that may have threads. The kernel (Linux) sends `signal` when the parent is gone, however it went. Elsewhere the
program simply runs. `user` is `-`, or the name of an account to run as. Standard library only.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def become_user(name: str) -> None:
    """Give up the rights of root for those of the account `name`."""
    account = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def die_with(parent: int, number: int) -> None:
    """Ask the kernel for signal `number` when `parent` dies; send it now if `parent` is already gone."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def main(arguments: list[str]) -> None:
    """Change user, tie the knot and exec; `signal` 0 ties none."""
    parent, number, user, *argv = arguments
    if user != "-":
        become_user(user)  # before the knot: changing user undoes it
    if int(number):
        die_with(int(parent), int(number))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(argv[0], argv)  # noqa: S606 - the program that the devstack chose


if __name__ == "__main__":
    main(sys.argv[1:])
