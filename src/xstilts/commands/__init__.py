"""The commands of `xstilts`: a file each for a group of them. What takes seconds to import is
imported by the command that uses it, so that help, lists and errors of use come at once."""
