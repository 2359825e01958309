"""The commands `train ...`, one file a rung. A name becomes a command when it is typed, and not before."""

from __future__ import annotations

from collections.abc import Mapping

import click

from indexer.commands import Commands

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


class Trainings(Commands):
    """The group `train`: its commands are those of TRAININGS, in the order of the ladder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the ladder."""
        return list(TRAININGS)


@click.group(cls=Trainings, table=TRAININGS)
def train() -> None:
    """Train on your own questions and documents. Everything stays on this machine."""
