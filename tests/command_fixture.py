"""A command of the program run in this process."""

from __future__ import annotations

import sys

import pytest

from fabless import cli


class Run:
    """Runs one `command` of the program in this process and keeps what it printed."""

    def __init__(self, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.command, self.capsys, self.monkeypatch = command, capsys, monkeypatch
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self.monkeypatch.setattr(sys, "argv", ["fabless", self.command, *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        self.out, self.err = self.capsys.readouterr()
        return code
