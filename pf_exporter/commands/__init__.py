"""The commands of the command line, a module each: ``add`` describes one to the parser, ``run`` does it."""
