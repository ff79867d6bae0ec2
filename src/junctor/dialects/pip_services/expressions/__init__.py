"""What of the expressions of Pip.Services is offered: templates."""
