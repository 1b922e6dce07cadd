"""The commands of the command line, one module each.

A module describes the arguments of its command with ``configure`` and executes it with ``run``. Only the
module of the chosen command is imported. Modules that need a library are imported inside ``run``, so that
help and ``health`` start without them.
"""
