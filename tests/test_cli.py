"""The command line: what each command prints, and how every error leaves the program."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fabless
from case_fixture import LLAMA, MINIMAL, OWN_CHIP, TRACE, edited
from fabless import cli
from fabless.catalogue import REFERENCE, read_case, reference_text, shipped_cases
from fabless.cli.lazy import HOMES, loaded

COST = ("cost", "--model", "llama-2-70b", "--input", "1024", "--output", "512")
ON_H100 = (*COST, "--chip", "h100-sxm")


class Run:
    """Runs the program in this process and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self.monkeypatch.setattr(sys, "argv", ["fabless", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        self.out, self.err = self.capsys.readouterr()
        return code

    def json(self, *arguments: str) -> dict[str, object]:
        """The one JSON object that a command prints."""
        assert self(*arguments, "--json") == 0, self.err
        read = json.loads(self.out)
        assert isinstance(read, dict)
        return read


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The program in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Run(capsys, monkeypatch)


def program(*arguments: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """The program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fabless", *arguments], cwd=folder, text=True,
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


def test_every_command_and_parameter_is_documented() -> None:
    assert set(HOMES) == {
        "backtest", "decide", "compare", "init", "chip", "contract", "cost", "explore", "programme", "serve", "train",
        "validate", "check", "claims", "chips", "models", "report", "show", "why", "web"}
    for name in HOMES:
        command = loaded(name)
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def help_of(run: Run, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """A printed help text on a terminal so wide that each option takes one line."""
    monkeypatch.setenv("COLUMNS", "400")
    assert run(*arguments) == 0
    return run.out


@pytest.mark.parametrize("name", [None, *HOMES])
def test_every_printed_help_text_is_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    printed = help_of(run, monkeypatch, *([name] if name else []), "--help")
    assert not re.findall(r" [.;,:](?= |$)|\( |\( *\)|\[ *\]|\bNone\b", printed, flags=re.MULTILINE)
    assert printed == help_of(run, monkeypatch, *([name] if name else []), "-h")


def function_names() -> set[str]:
    """Names of several words of the functions of the package."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in Path(fabless.__file__).parent.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and "_" in node.name.strip("_")}


def test_help_texts_are_words_and_not_names_of_functions(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename that reaches into the text of an option would show here."""
    printed = " ".join(help_of(run, monkeypatch, name, "--help") for name in HOMES)
    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", printed)) & function_names() == set()


@pytest.mark.parametrize("name", HOMES)
def test_every_default_is_printed(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    printed = help_of(run, monkeypatch, name, "--help").splitlines()
    for parameter in loaded(name).params:
        shown = parameter.show_default
        is_flag = getattr(parameter, "is_flag", False)
        if is_flag or (parameter.default is None and not isinstance(shown, str)):
            continue
        option = parameter.opts[0].startswith("--")
        label = parameter.opts[0] if option else parameter.metavar or parameter.name
        line = next(line for line in printed if re.match(rf"│[ *]+{re.escape(label)} ", line))
        default = f"({shown})" if isinstance(shown, str) else parameter.default
        assert f"[default: {default}]" in line


def test_the_program_lists_decide_and_init_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = help_of(run, monkeypatch, "--help")
    assert re.findall(r"^│ ([a-z]+) ", printed, flags=re.MULTILINE) == list(HOMES)
    assert list(HOMES)[:3] == ["decide", "compare", "init"]


def test_the_program_says_its_version(run: Run) -> None:
    assert run("--version") == 0
    assert run.out == f"fabless {importlib.metadata.version('fabless')}\n"


@pytest.mark.parametrize(("words", "completed"), [
    ("fabless de", ["decide"]), ("fabless serve --kv", ["--kv-precision"]),
    ("fabless c", ["compare", "cost", "chip", "chips", "contract", "check", "claims"])])
def test_the_shell_completes_commands_and_options(
    tmp_path: Path, words: str, completed: list[str]
) -> None:
    asked = program(folder=tmp_path, _FABLESS_COMPLETE="complete_bash", COMP_WORDS=words,
                    COMP_CWORD=str(len(words.split()) - 1))
    out, err = asked.communicate(timeout=60)
    assert (out.split(), err) == (completed, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(tmp_path: Path, shell: str) -> None:
    asked = program("--show-completion", shell, folder=tmp_path,
                    _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    out, err = asked.communicate(timeout=60)
    assert (asked.returncode, err) == (0, "")
    assert "_FABLESS_COMPLETE" in out


def test_chips_lists_at_least_sixty(run: Run) -> None:
    assert run("chips") == 0
    assert "h100-sxm" in run.out
    listed = run.json("chips")["chips"]
    assert isinstance(listed, list)
    assert len(listed) >= 60
    assert next(row for row in listed if row["name"] == "h100-sxm")["chip"]["memory_bytes"] == 80e9


def test_models_lists_at_least_forty(run: Run) -> None:
    assert run("models", "--as-of", "2023-10-31") == 0
    assert "llama-2-70b" in run.out
    assert "\nllama-3" not in run.out
    listed = run.json("models")["models"]
    assert isinstance(listed, list)
    assert len(listed) >= 40
    assert next(row for row in listed if row["name"] == "llama-2-70b")["model"]["layers"] == 80


def test_show_and_why_give_facts_with_source_and_row(run: Run) -> None:
    assert run("show", "h100-sxm") == 0
    assert "memory_bandwidth" in run.out
    assert run("why", "h100-sxm", "memory_bandwidth") == 0
    for words in ("3.35 TB/s", "known ", "source ", "row     facts/chips.csv:"):
        assert words in run.out
    for found in (run.json("show", "h100-sxm"), run.json("why", "h100-sxm", "tdp")):
        assert found["name"] == "h100-sxm"
        facts = found["facts"]
        assert isinstance(facts, list)
        assert {"field", "value", "unit", "known", "grade", "source", "place"} <= set(facts[0])


def test_cost_says_what_each_chip_takes(run: Run) -> None:
    assert run(*COST, "--chip", "h100-sxm,mi300x,tpu-v5e") == 0
    for chip in ("h100-sxm", "mi300x", "tpu-v5e"):
        assert run.out.count(chip) >= 2, "a row of the table, and its assumptions below"
    found = run.json(*COST, "--chip", "h100-sxm,mi300x")
    quotes = found["quotes"]
    assert isinstance(quotes, list)
    assert [quote["chip"] for quote in quotes] == ["h100-sxm", "mi300x"]
    assert all(quote["usd_per_query"] > 0 and quote["wh_per_query"] > 0 for quote in quotes)


@pytest.mark.parametrize("columns", [80, 120])
def test_cost_fits_the_terminal_and_has_a_band(
    run: Run, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(*COST, "--chip", "h100-sxm,mi300x,tpu-v5e", "--tpot", "50 ms") == 0
    assert max(map(len, run.out.splitlines())) <= columns
    row = next(line for line in run.out.splitlines() if line.startswith("h100-sxm "))
    assert re.search(r" TP\d", row)
    found = re.search(r"(\d\.\d+) \((\d\.\d+)–(\d\.\d+)\)", row)
    assert found is not None
    middle, low, high = map(float, found.groups())
    assert low < middle < high
    assert "half of the measured times" in " ".join(run.out.split())


def test_cost_follows_the_engine_and_the_format_of_experts(run: Run) -> None:
    asked = ("cost", "--model", "deepseek-v3", "--chip", "b200", "--input", "1024", "--output", "512")
    plain, engine, narrow = (run.json(*asked, *more)["quotes"] for more in (
        (), ("--engine", "vllm"), ("--expert-precision", "nvfp4")))
    assert plain[0]["usd_per_query"] != engine[0]["usd_per_query"]  # type: ignore[index]
    assert narrow[0]["serving"]["expert_precision"] == "nvfp4"  # type: ignore[index]
    assert narrow[0]["usd_per_query"] < plain[0]["usd_per_query"]  # type: ignore[index]


def test_cost_takes_files_of_the_users_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(LLAMA))
    (tmp_path / "day.csv").write_text(TRACE)
    (tmp_path / "mine.yaml").write_text(OWN_CHIP.replace("chips:\n  mine:\n", "    name: mine\n").replace("    ", ""))
    found = run.json("cost", "--model", "tiny.json", "--chip", "mine.yaml", "--trace", "day.csv", "--price", "20000 USD")
    assert found["model"] == "tiny"
    assert found["request"] == {"input_tokens": 200.0, "output_tokens": 20.0, "source": "day"}
    dearer = run.json("cost", "--model", "tiny.json", "--chip", "mine.yaml", "--trace", "day.csv", "--price", "90 USD/h")
    prices = [quotes[0]["usd_per_chip_hour"] for quotes in (found["quotes"], dearer["quotes"])]  # type: ignore[index]
    assert prices[0] < prices[1] == pytest.approx(90.0)


def test_free_chips_still_cost_their_power_and_place(run: Run) -> None:
    found = run.json(*ON_H100, "--price", "0 USD")["quotes"]
    assert 0 < found[0]["usd_per_chip_hour"] < 2  # type: ignore[index]


def test_claims_have_published_rebuilt_and_deviation(run: Run) -> None:
    assert run("claims", "C03") == 0
    assert "C03" in run.out
    listed = run.json("claims")["claims"]
    assert isinstance(listed, list)
    assert len({claim["id"] for claim in listed}) >= 10
    for claim in listed:
        assert {"id", "published", "rebuilt", "deviation"} <= set(claim)


def test_claims_show_the_words_the_allowed_range_and_the_band(run: Run) -> None:
    assert run("claims", "C08") == 0
    words = " ".join(run.out.split())
    assert "C08 A query with a language model costs ten searches" in words
    for said in ("3.3T query/year", "3.25T-3.35T", "3.105T", "3.086T-3.123T", "-6%", "breaks"):
        assert said in words
    assert "The band, 3.086T to 3.123T query/year, stays below what the wording allows" in words
    assert run("claims", "C11") == 0
    assert "happened" in run.out
    assert run("claims", "C31") == 0
    assert "recommendation models" in " ".join(run.out.split())


def test_init_writes_the_reference_case(run: Run, tmp_path: Path) -> None:
    assert run("init", "my.yaml") == 0
    assert "fabless decide my.yaml" in run.out
    assert (tmp_path / "my.yaml").read_text(encoding="utf-8") == reference_text()
    assert read_case(tmp_path / "my.yaml") == read_case(REFERENCE)
    (tmp_path / "my.yaml").write_text("mine")
    assert run("init", "my.yaml") == 2
    assert (tmp_path / "my.yaml").read_text() == "mine", "nothing is lost"


def test_init_copies_the_shipped_case_that_is_named(run: Run, tmp_path: Path) -> None:
    assert run("init", "my.yaml", "--case", "lab-2025") == 0
    assert (tmp_path / "my.yaml").read_text(encoding="utf-8") == reference_text("lab-2025")
    assert run("init", "other.yaml", "--case", "nobody") == 2
    assert all(name in run.err for name in shipped_cases())
    assert not (tmp_path / "other.yaml").exists()


@pytest.mark.parametrize("command", ["decide", "compare", "check", "backtest", "programme", "init"])
def test_help_names_every_shipped_case(run: Run, command: str) -> None:
    assert run(command, "--help") == 0
    assert len(shipped_cases()) == 3
    assert all(name in run.out for name in shipped_cases())


@pytest.mark.slow
def test_decide_prints_the_answer_and_writes_the_report(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(MINIMAL)
    asked = program("decide", "my.yaml", folder=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    out, err = asked.communicate(timeout=120)
    assert asked.returncode == 0, err
    assert out.isascii()
    assert "\nbuy " in out
    assert "Not in this case: diversify, partner, build, acquire" in " ".join(out.split())
    assert "Report: fabless-minimal.html" in out
    assert "<html" in (tmp_path / "fabless-minimal.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fabless-minimal.html", "my.yaml"]


@pytest.mark.slow
def test_decide_as_json_prints_nothing_but_json(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(MINIMAL)
    asked = program("decide", "my.yaml", "--json", "--seed", "7", "--report", "out/here.html", folder=tmp_path)
    out, err = asked.communicate(timeout=120)
    assert asked.returncode == 0, err
    decision = json.loads(out)
    assert decision["seed"] == 7
    assert [way["name"] for way in decision["strategies"]] == ["buy"]
    assert decision["not_offered"] == ["diversify", "partner", "build", "acquire"]
    for way in decision["strategies"]:
        assert {"p10", "p50", "p90"} <= set(way["cost_per_query_usd"])
    assert (tmp_path / "out" / "here.html").exists()


@pytest.mark.slow
def test_an_interrupt_ends_the_program_and_its_workers_at_once(tmp_path: Path) -> None:
    asked = program("decide", folder=tmp_path)
    assert asked.stderr is not None
    assert any("plans for" in line for line in asked.stderr), "it ended before"
    time.sleep(1.0)
    os.killpg(asked.pid, signal.SIGINT)
    _, err = asked.communicate(timeout=30)
    assert asked.returncode not in (0, None)
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_ends_the_program_quietly(tmp_path: Path) -> None:
    asked = program("claims", "--json", folder=tmp_path)
    assert asked.stdout is not None
    asked.stdout.close()
    assert asked.stderr is not None
    assert "Traceback" not in asked.stderr.read()
    asked.stderr.close()
    assert asked.wait(timeout=60) == 1


@pytest.mark.parametrize(
    "command", [("chips",), ("claims", "C03"), ("show", "reference-class")], ids=str
)
def test_a_terminal_of_ascii_is_served(tmp_path: Path, command: tuple[str, ...]) -> None:
    asked = program(*command, folder=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    out, err = asked.communicate(timeout=60)
    assert (asked.returncode, err) == (0, "")
    assert out.isascii()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "openai-2024"), ["unknown case 'openai-2024'", "openai-2023"]),
        (("decide", "missing.yaml"), ["missing.yaml: cannot be read", "check the path"]),
        (("decide", "bad.yaml"), ["bad.yaml:13: tree", "bad.yaml:61: lines.h100.price", "2 errors"]),
        (
            ("decide", "good.yaml", "--report", "good.yaml"),
            ["--report: good.yaml", "ends in .html"],
        ),
        (("decide", "good.yaml", "--report", "."), ["--report: .", "ends in .html"]),
        (("decide", "good.yaml", "--report", "folder.html"), ["folder.html: is a folder"]),
        (
            ("decide", "good.yaml", "--report", "good.yaml/x.html"),
            ["good.yaml/x.html: cannot be written"],
        ),
        (("decide", "good.yaml", "--seed", "-1"), ["--seed", "greater than or equal to 0"]),
        (("decide", "good.yaml", "--seed", "x"), ["--seed", "integer"]),
        (("init", "good.yaml"), ["good.yaml: exists already"]),
        (("init", "."), ["exists already"]),
        (("init", "good.yaml/new.yaml"), ["good.yaml/new.yaml: cannot be written"]),
        (("init",), ["Missing argument"]),
        (("deicde",), ["Did you mean 'decide'"]),
        (
            (*COST, "--chip", "h100-smx,mi300y"),
            ["2 errors", "did you mean h100-sxm", "did you mean mi300x"],
        ),
        ((*COST, "--chip", ","), ["--chip", "one or more chips"]),
        ((*COST, "--chip", "missing.yaml"), ["missing.yaml: cannot be read"]),
        (
            (*COST, "--chip", "bad-chip.yaml"),
            ["bad-chip.yaml: memory_capacity: missing", "tdp: missing"],
        ),
        ((*COST, "--chip", "twice.yaml"), ["twice.yaml:2: name", "given twice"]),
        (
            (
                "cost", "--model", "lama-2-70b", "--chip", "h100-sxm", "--input", "1", "--output",
                "1",
            ),
            ["did you mean llama-2-70b"],
        ),
        (
            (
                "cost", "--model", "huge.json", "--chip", "h100-sxm,a10", "--input", "9",
                "--output", "9",
            ),
            ["2 errors", "huge on h100-sxm", "huge on a10", "take another chip"],
        ),
        (
            ("cost", "--model", "bad.json", "--chip", "h100-sxm", "--input", "9", "--output", "9"),
            ["did you mean llama"],
        ),
        (
            ("cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--input", "9"),
            ["--input and --output, or --trace"],
        ),
        ((*ON_H100, "--trace", "azure-2023-code"), ["--trace", "leave one of the two out"]),
        (
            ("cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--trace", "azure-2023"),
            ["did you mean azure-2023-code"],
        ),
        (
            ("cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--trace", "bad.csv"),
            ["bad.csv:2: ContextTokens 'nan'"],
        ),
        (
            (
                "cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--input", "-4", "--output",
                "9",
            ),
            ["input_tokens: -4"],
        ),
        (
            (
                "cost", "--model", "llama-2-70b", "--chip", "h100-sxm", "--input", "nan",
                "--output", "9",
            ),
            ["input_tokens: nan"],
        ),
        ((*ON_H100, "--price", "lots"), ["--price: 'lots'", "'1 USD'"]),
        ((*ON_H100, "--price", "-5 USD"), ["--price: '-5 USD'", "0 USD or more"]),
        ((*ON_H100, "--price", "1e999 USD"), ["--price", "0 USD or more"]),
        ((*ON_H100, "--price", "1..2 USD"), ["--price: '1..2 USD' is not a number"]),
        ((*ON_H100, "--price", "5 GB"), ["--price: 'GB' is a unit of byte"]),
        ((*ON_H100, "--price", "5 US"), ["unknown unit 'US'", "did you mean USD"]),
        ((*ON_H100, "--tpot", "5"), ["--tpot: '5' is not a number with a unit"]),
        ((*ON_H100, "--ttft", "0 s"), ["--ttft: '0 s'", "above 0"]),
        ((*ON_H100, "--load-factor", "3"), ["load_factor: 3", "at most 1"]),
        ((*ON_H100, "--precision", "fp9"), ["--precision: unknown precision 'fp9'", "fp8"]),
        (
            (*ON_H100, "--expert-precision", "fp9", "--kv-precision", "x"),
            ["--expert-precision", "--kv-precision", "2 errors"],
        ),
        ((*ON_H100, "--engine", "vlm"), ["--engine: unknown engine 'vlm'", "did you mean vllm"]),
        ((*COST, "--chip", "b200", "--as-of", "2023-10-31"), ["b200 became known on 2024-03-18"]),
        (("claims", "C99"), ["unknown claim 'C99'", "C03"]),
        (("claims", "--as-of", "yesterday"), ["--as-of: 'yesterday'", "2023-10-31"]),
        (("chips", "--as-of", "2023-13-45"), ["--as-of: '2023-13-45'"]),
        (("models", "--as-of", ""), ["--as-of: ''"]),
        (("show", "h100-smx"), ["did you mean h100-sxm"]),
        (
            ("show", "b200", "--as-of", "2023-10-31"),
            ["became known on", "facts known on or before 2023-10-31"],
        ),
        (("why", "h100-sxm", "memory_bandwith"), ["did you mean memory_bandwidth"]),
        (("why", "h100-smx", "tdp"), ["did you mean h100-sxm"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_every_error_is_told_and_loses_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    (tmp_path / "good.yaml").write_text(MINIMAL)
    (tmp_path / "bad.yaml").write_text(
        edited(
            MINIMAL, ("branching: [2]", "branching: [2, 2]"),
            ("price: {value: 30000}", "price: {value: -3}"),
        )
    )
    (tmp_path / "bad-chip.yaml").write_text("name: mine\npeak: {bf16: 1 TFLOP/s}\n")
    (tmp_path / "twice.yaml").write_text("name: mine\nname: yours\n")
    (tmp_path / "bad.json").write_text('{"model_type": "lama"}')
    (tmp_path / "huge.json").write_text(
        json.dumps(
            LLAMA
            | {
                "hidden_size": 131072, "num_attention_heads": 1024, "num_hidden_layers": 1000,
                "intermediate_size": 524288,
            }
        )
    )
    (tmp_path / "bad.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,nan,2\n")
    (tmp_path / "folder.html").mkdir()
    before = {path: path.read_bytes() if path.is_file() else b"" for path in tmp_path.rglob("*")}
    assert run(*arguments) == 2
    assert "... " not in run.err, "told before any long work"
    assert run.out == ""
    for word in words:
        assert word in run.err
    assert "Traceback" not in run.err
    assert {path: path.read_bytes() if path.is_file() else b"" for path in tmp_path.rglob("*")} == before


def test_check_lists_what_the_day_of_a_case_could_not_know(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(MINIMAL)
    assert run("check", "my.yaml") == 0
    assert "Later than 2023-10-31" in run.out
    assert "the case is sound" in run.out
    told = run.json("check", "my.yaml")
    names = {item["name"]: item["reason"] for item in told["inputs"]}  # type: ignore[attr-defined]
    assert names["performance.bandwidth"] == "the model of speed was calibrated later"
    reason = "  stas-n: a later guide repeats what was announced with the chip\n"
    (tmp_path / "my.yaml").write_text(edited(MINIMAL, (reason, "")))
    assert run("check", "my.yaml") == 2
    assert "chips.a100-80gb.scale_out_bandwidth" in run.err
    assert "hindsight: {stas-n: reason}" in run.err


def test_a_table_of_answers_needs_a_detail_that_asks_questions(run: Run) -> None:
    assert run("decide", "--detail", "quick", "--explore") == 2
    assert "--explore" in run.err
    assert "--detail standard" in run.err
