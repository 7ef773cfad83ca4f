"""The proxy's command line, as a process."""

import socket
import subprocess
import sys

from deploy.servers.port import LOCALHOST
from tests.proxy.ends import Link, heard, reset

COMMAND = (sys.executable, "-m", "deploy.proxy")


def test_a_proxy_is_run_and_told_by_lines_what_to_do(link: Link) -> None:
    command = [*COMMAND, "--upstream", str(link.proxy.upstream), "--toxic", "latency seconds=0.01"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == f"{said.split()[0]} leads to port {link.proxy.upstream}; Ctrl-C ends it\n"
        host, _, port = said.split()[0].partition(":")
        assert host == LOCALHOST
        with socket.create_connection((host, int(port)), 10) as client:
            server, _ = link.listener.accept()
            with server:
                client.sendall(b"hello")
                assert heard(server, 5) == b"hello"
                for line, answer in (
                    ("rain\n", "'rain' is no toxic: there are latency, down, timeout, reset, slow-close, "),
                    ("timeout seconds=600 upstream\n", "2: timeout seconds=600 upstream\n"),
                    ("remove 2\n", "2 is off\n"),
                    ("clear\n", "all toxics are off\n"),
                    ("down\n", "3: down\n"),
                ):
                    process.stdin.write(line)
                    process.stdin.flush()
                    assert process.stdout.readline().startswith(answer)
                assert reset(client)
        process.terminate()
        assert process.wait(20) == 130


def test_a_toxic_that_is_none_ends_the_command_with_a_reason() -> None:
    done = subprocess.run(
        [*COMMAND, "--upstream", "1", "--toxic", "rain"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("'rain' is no toxic")
