"""What the command ends with. 0 is well, 2 is wrong usage: those are click's."""

ERROR = 1
NOT_OK = 3
INTERRUPTED = 130
