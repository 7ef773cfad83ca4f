"""Become a server that dies with whoever started it.

Run as a script: it drops root's privileges where a user is named, asks Linux to signal it when its
parent ends, however that ends, and replaces itself with the command, under the same process id. It is
a script of its own because between fork and exec a program with threads can run no Python safely.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    """Drop root's privileges for those of ``user`` and none else."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with(parent: int, death_signal: int) -> None:
    """Ask for ``death_signal`` when process ``parent`` ends; exit at once where it has ended already.

    The wish survives exec and is lost with a change of user, so it comes after that. Other systems
    than Linux have no such call: there a killed parent leaves its servers behind.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("whoever started this has ended")


def main() -> None:
    """Drop privileges, tie the leash, run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, default=int(signal.SIGKILL))
    parser.add_argument("--user")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    if asked.user:
        become(asked.user)
    die_with(asked.parent, asked.death_signal)
    command: list[str] = asked.command
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted: the command takes this place


if __name__ == "__main__":
    main()
