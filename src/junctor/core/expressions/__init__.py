"""Expressions of flow files: what a setting computes from a message, and texts with such expressions in them."""

from junctor.core.expressions.expression import Expression as Expression
from junctor.core.expressions.template import Template as Template
from junctor.core.expressions.variables import Variables as Variables
from junctor.core.expressions.variables import of_message as of_message
