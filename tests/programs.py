"""Programs as people run them: in a shell, as their help shows, and stopped by ctrl-C."""

import re
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

# A process started in the background, as tests may be, ignores SIGINT unless told otherwise.
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"


def shell(command, **options):
    """Run a command of bash that begins with `imeasure` or `ibtrain`."""
    program = f"{shlex.quote(sys.executable)} -m {command}"
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, **options)


def works_as_its_help_says(run, program, command):
    """Run the examples below the help of a command: each works and prints something."""
    helped = run(command, "--help").output
    examples = re.findall(rf"^ +{program} (.+)$", helped.partition("Example:")[2], re.M)
    assert examples, helped
    for example in examples:
        arguments = shlex.split(example)
        assert arguments[0] == command
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert result.stdout


@contextmanager
def started(code, *arguments, **options):
    """Run code in a Python of its own that hears ctrl-C, and end it whatever happens."""
    command = [sys.executable, "-c", HEARING + code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def stopped(process):
    """Press ctrl-C; return the exit status and what was written to standard error."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def run_in_process(monkeypatch, main, *arguments):
    """Run the main function of a program as its process would; return the exit status."""
    monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0
