"""Prints the script by which a shell completes commands and options."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: echo 'eval "$(cemai-opt completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(cemai-opt completion zsh)"' >> ~/.zshrc
    fish: cemai-opt completion fish > ~/.config/fish/completions/cemai-opt.fish
    """
    from click.shell_completion import get_completion_class

    from cemai_opt.cli import PROGRAM, cli

    found = get_completion_class(shell)
    assert found is not None, "click has all three"
    click.echo(found(cli, {}, PROGRAM, "_CEMAI_OPT_COMPLETE").source())
