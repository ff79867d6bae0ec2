"""An add-on as those of the family are made: it knows the import paths of Pip.Services and nothing of Junctor."""

__all__ = ["build", "count"]
