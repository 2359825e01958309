"""The commands `train ...`, one file a rung. A name becomes a command when it is typed, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

TRAININGS: Mapping[str, str] = {
    "data": "finetune.commands.data:data",
    "tokenizer": "finetune.commands.tokenizer:tokenizer",
    "lm": "finetune.commands.lm:lm",
    "generator": "finetune.commands.generator:generator",
    "prompt": "finetune.commands.prompt:prompt",
    "questions": "finetune.commands.questions:questions",
    "encoder": "finetune.commands.encoder:encoder",
    "reranker": "finetune.commands.reranker:reranker",
    "static": "finetune.commands.static:static",
    "promote": "finetune.commands.promote:promote",
    "rollback": "finetune.commands.promote:rollback",
}
"""The rungs of the ladder, from the lowest: module and command of each."""


class Trainings(click.Group):
    """The group `train`: its commands are looked up in TRAININGS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the ladder."""
        return list(TRAININGS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name; None where there is none."""
        if cmd_name not in TRAININGS:
            return None
        module, _, name = TRAININGS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command
