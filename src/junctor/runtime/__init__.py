"""The engine at work: supervision, dispatch, execution, schedules, recovery. Imports nothing above the transports."""
