"""``junctor completion``: the script that lets a shell complete commands, options, and the names of what runs."""

from __future__ import annotations

import click

WHERE = {
    "bash": "echo 'eval \"$(junctor completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(junctor completion zsh)\"' >> ~/.zshrc",
    "fish": "junctor completion fish > ~/.config/fish/completions/junctor.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(WHERE)))
def command(shell: str) -> None:
    """Print what lets a shell complete commands, options, services and actions.

    \b
    bash: echo 'eval "$(junctor completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(junctor completion zsh)"' >> ~/.zshrc
    fish: junctor completion fish > ~/.config/fish/completions/junctor.fish

    A new shell has it. Names are asked of the node that the command would go to; where none runs, there are none.
    """
    from click.shell_completion import get_completion_class

    from junctor.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(cli, {}, "junctor", "_JUNCTOR_COMPLETE").source()
    # What follows NAME= is its value, not the next word.
    click.echo(
        script.replace(
            "COMPREPLY+=($value)\n", "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace\n"
        )
    )
