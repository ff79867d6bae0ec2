__all__ = ["DefaultTextFileFactory"]

from .DefaultTextFileFactory import DefaultTextFileFactory
