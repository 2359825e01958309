"""Options that are not typed: config.toml, over it the environment, over both the command line."""

import ast
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from indexer.commands import Commands, origin_of, with_settings
from indexer.configuration import Shared, settings_for, variable
from indexer.errors import NotFound, UsageError
from indexer.variables import unread_variables


@click.group(cls=Commands)
@click.option("--loud", is_flag=True)
@click.pass_context
def program(ctx: click.Context, loud: bool) -> None:
    ctx.obj = loud


@program.command()
@click.option("--collection", "-c", "name", default="default", cls=Shared)
@click.option("-k", type=click.IntRange(1), default=6)
@click.option("--max-error", type=float)
@click.option("--filter", "filters", multiple=True)
@click.option("--arms", nargs=2, default=("a", "b"))
@click.option("--prune/--keep", default=True)
@click.option("--home")
@click.pass_obj
def ask(
    loud: bool, name: str, k: int, max_error: float | None, filters: tuple[str, ...], arms: tuple[str, str],
    prune: bool, home: str | None,
) -> None:  # fmt: skip
    click.echo(repr((name, k, max_error, filters, arms, prune, loud)))


@program.group("eval", cls=Commands)
def evaluation() -> None:
    pass


@evaluation.command()
@click.option("--limit", type=int)
@click.option("--collection", default="none")
def qa(limit: int | None, collection: str) -> None:
    click.echo(repr((limit, collection)))


@program.command()
@click.option("--port", type=int)
def serve(port: int | None) -> None:
    click.echo(repr(port))


def run(home: Path, *typed: str, config: str = "", **environment: str) -> Result:
    """Run the small program with this config.toml and these variables."""
    if config:
        (home / "config.toml").write_text(config, encoding="utf-8")
    env = {"FOOTNOTE_HOME": str(home), **environment}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        defaults = with_settings(program, typed)
    return CliRunner().invoke(program, typed, env=env, default_map=defaults)


def printed(result: Result) -> object:
    assert result.exit_code == 0, (result.output, result.exception)
    return ast.literal_eval(result.output)


def refused(result: Result) -> UsageError:
    assert isinstance(result.exception, UsageError), (result.output, result.exception)
    return result.exception


USUAL = ("default", 6, None, (), ("a", "b"), True, False)


def test_without_settings_the_defaults_hold(tmp_path: Path) -> None:
    assert printed(run(tmp_path, "ask")) == USUAL


def test_the_command_line_counts_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    config = "[ask]\nk = 1\n"
    assert printed(run(tmp_path, "ask", config=config)) == ("default", 1, *USUAL[2:])
    assert printed(run(tmp_path, "ask", FOOTNOTE_ASK_K="2")) == ("default", 2, *USUAL[2:])
    assert printed(run(tmp_path, "ask", "-k", "3", FOOTNOTE_ASK_K="2")) == ("default", 3, *USUAL[2:])


def test_every_kind_of_option_may_stand_in_the_file(tmp_path: Path) -> None:
    config = """
        loud = true
        collection = "papers"
        [ask]
        max_error = 0.1
        filter = ["format=pdf", "title=a, b"]
        arms = ["x", "y"]
        prune = false
        [eval.qa]
        limit = 20
    """
    told = printed(run(tmp_path, "ask", config=config))
    assert told == ("papers", 6, 0.1, ("format=pdf", "title=a, b"), ("x", "y"), False, True)
    assert printed(run(tmp_path, "eval", "qa")) == (20, "none")


def test_every_kind_of_option_may_stand_in_the_environment(tmp_path: Path) -> None:
    environment = {
        "FOOTNOTE_LOUD": "1", "FOOTNOTE_COLLECTION": "papers", "FOOTNOTE_ASK_MAX_ERROR": "0.2",
        "FOOTNOTE_ASK_FILTER": "format=pdf, date>2020", "FOOTNOTE_ASK_ARMS": "x,y", "FOOTNOTE_ASK_PRUNE": "false",
        "FOOTNOTE_EVAL_QA_LIMIT": "5",
    }  # fmt: skip
    told = printed(run(tmp_path, "ask", **environment))
    assert told == ("papers", 6, 0.2, ("format=pdf", "date>2020"), ("x", "y"), False, True)
    assert printed(run(tmp_path, "eval", "qa", **environment)) == (5, "none")


def test_what_is_set_for_one_command_counts_over_what_is_set_for_all(tmp_path: Path) -> None:
    every = {"FOOTNOTE_COLLECTION": "papers", "FOOTNOTE_ASK_COLLECTION": "letters"}
    assert printed(run(tmp_path, "ask", **every)) == ("letters", *USUAL[1:])
    config = 'collection = "papers"\n[ask]\ncollection = "letters"\n'
    assert printed(run(tmp_path, "ask", config=config)) == ("letters", *USUAL[1:])


def test_a_collection_of_the_same_name_means_something_else_where_it_is_not_shared(tmp_path: Path) -> None:
    """FOOTNOTE_COLLECTION once would have made `eval` and `train data` take in a collection nobody had named."""
    assert printed(run(tmp_path, "eval", "qa", FOOTNOTE_COLLECTION="papers")) == (None, "none")


def test_an_empty_variable_sets_nothing(tmp_path: Path) -> None:
    assert printed(run(tmp_path, "ask", FOOTNOTE_ASK_K="")) == USUAL


def test_the_file_lies_in_the_home_that_is_typed_or_where_the_variable_says(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text("[ask]\nk = 7\n")
    assert printed(run(tmp_path, "ask", "--home", str(other))) == ("default", 7, *USUAL[2:])
    assert printed(run(tmp_path, "ask", f"--home={other}")) == ("default", 7, *USUAL[2:])
    assert printed(run(tmp_path, "ask", FOOTNOTE_CONFIG=str(other / "config.toml"))) == ("default", 7, *USUAL[2:])
    with pytest.raises(NotFound, match=r"FOOTNOTE_CONFIG names .*none\.toml, which is not there"):
        run(tmp_path, "ask", FOOTNOTE_CONFIG=str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("config", "message", "hint"),
    [
        ("[ask]\nmax-eror = 0.1\n", "has 'max-eror' under \\[ask\\], which is no option", "Did you mean: max-error"),
        ("# ours\n[aks]\nk = 1\n", "line 2, has a table \\[aks\\], which is no command", "Did you mean: ask?"),
        ("[ask]\nk = 1\n\nmax_eror = 1\n", "line 4, has 'max_eror' under \\[ask\\]", "Did you mean: max-error"),
        ("[ask]\nk = [1, 2]\n", r"has k = \[1, 2\]", "One text or number is wanted"),
        ("[ask]\nfilter = [{a = 1}]\n", "has filter = ", "filter = \\["),
        ("[ask]\nhome = '/tmp'\n", "has 'home' under", ""),
        ("ask = 3\n", "has ask = 3, which is a command", r"Write a table: \[ask\]"),
        ("[serve]\nport = 1\n", r"has a table \[serve\], which has a file of its own", "serve.toml"),
    ],
)
def test_a_mistake_in_the_file_is_told_and_not_passed_over(
    tmp_path: Path, config: str, message: str, hint: str
) -> None:
    (tmp_path / "config.toml").write_text(config)
    command = "serve" if "serve" in config else "ask"
    if "aks" in config:
        with pytest.raises(UsageError) as caught:
            run(tmp_path, command)
        told = caught.value
    else:
        told = refused(run(tmp_path, command))
    assert str(tmp_path / "config.toml") in told.message
    assert re.search(message, told.message), told.message
    assert re.search(hint, told.hint), told.hint


@pytest.mark.parametrize(
    ("config", "message"),
    [("collektion = 'a'\n", "has 'collektion' above its tables"), ("[", "is not TOML"), ("k = 1\n", "has 'k' above")],
)
def test_a_mistake_above_the_tables_is_told_before_any_command_runs(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(tmp_path, "ask", config=config)


def test_a_wrong_value_is_told_with_the_place_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[ask]\nk = 0\n")
    origins = []
    for environment in ({}, {"FOOTNOTE_ASK_K": "none"}):
        result = CliRunner().invoke(
            program, ["ask"], env={"FOOTNOTE_HOME": str(tmp_path), **environment}, standalone_mode=False
        )
        assert isinstance(result.exception, click.BadParameter)
        origins.append(origin_of(result.exception))
    assert origins == [f"k in {tmp_path / 'config.toml'}", "FOOTNOTE_ASK_K"]
    typed = CliRunner().invoke(program, ["ask", "-k", "0"], env={"FOOTNOTE_HOME": "/none"}, standalone_mode=False)
    assert isinstance(typed.exception, click.BadParameter)
    assert origin_of(typed.exception) == ""


def test_a_variable_that_nothing_reads_is_warned_of() -> None:
    """FOOTNOTE_HOEM=/elsewhere was passed over, and the collections in the usual place were told as its."""
    read = {
        "FOOTNOTE_HOME": "/a", "FOOTNOTE_LOUD": "1", "FOOTNOTE_ASK_K": "3", "FOOTNOTE_EVAL_QA_LIMIT": "5",
        "FOOTNOTE_JSON": "true", "FOOTNOTE_SERVE_PORT": "1", "HOME": "/b", "FOOTNOTE_TOKEN": "t", "A_FOOTNOTE_X": "",
    }  # fmt: skip
    assert unread_variables(program, read, lambda: ["FOOTNOTE_TOKEN"]) == []
    unread = {
        **read,
        "FOOTNOTE_HOEM": "/d",
        "FOOTNOTE_AKS_K": "3",
        "FOOTNOTE_EVAL_QA_LIMITS": "3",
        "FOOTNOTE_XYZZY": "",
    }
    warnings = unread_variables(program, unread, lambda: ["FOOTNOTE_TOKEN"])
    assert [each.partition("FOOTNOTE_")[2] for each in warnings] == [
        "AKS_K. Did you mean: FOOTNOTE_ASK_K?",
        "EVAL_QA_LIMITS. Did you mean: FOOTNOTE_EVAL_QA_LIMIT?",
        "HOEM. Did you mean: FOOTNOTE_HOME?",
        "XYZZY. See: footnote help config",
    ]


def test_settings_know_where_they_come_from(tmp_path: Path) -> None:
    found = settings_for(("ask",), ask.params, home=str(tmp_path), environment={"FOOTNOTE_ASK_MAX_ERROR": "0.1"})
    assert {name: (each.value, each.origin) for name, each in found.items()} == {
        "max_error": ("0.1", "FOOTNOTE_ASK_MAX_ERROR")
    }
    assert variable(("eval", "qa"), "max-error") == "FOOTNOTE_EVAL_QA_MAX_ERROR"
