"""Exit codes of the commands. One meaning for all of them, and what 1 says of each; docs/commands.md is written from it."""

OK = 0
DIFFERS = 1
"""The command did its work, and what it looked for is not as it should be. A script may act upon it."""
USAGE = 2
"""Wrong use, no infrastructure, or a defect: `CODE: sentence`. Nothing is known of what was asked. Of `worker` and `up` only what
a person must correct before another start; the rest is Exit.PROCESS_FAILED, after which a supervisor starts them again."""

SAYS_1 = {
    "acls apply": "",
    "acls plan": "a right is missing, or there is one too many",
    "books": "",
    "clock repair": "",
    "config check": "something is wrong with the configuration (2: there is no such folder)",
    "config schema": "",
    "config try": "a record of the sample would be refused",
    "console": "",
    "decide": "the decision cannot be taken as it stands, nothing was written",
    "demo": "not exact: something recorded is not accounted for, or the ERP has something else",
    "erp drain": "",
    "erp pause": "",
    "erp resume": "",
    "erp-sim": "",
    "exceptions discard": "no such dead letter",
    "exceptions list": "",
    "exceptions replay": "no such dead letter",
    "exceptions resolve": "no such dead letter",
    "exceptions show": "no such dead letter",
    "explain-code": "",
    "hold exempt": "nothing is changed by it, nothing was written",
    "hold list": "",
    "hold place": "nothing is changed by it, nothing was written",
    "hold races": "",
    "hold release": "nothing is changed by it, nothing was written",
    "hold show": "no such hold",
    "hold verdicts": "",
    "ingest": "with `--once`: a file was left in the folder",
    "parked": "",
    "recall": "no such lot",
    "reconcile": "something differs, or its source records are gone (SOURCE_EXPIRED)",
    "rules explain": "no account of that name, or no rule posts it",
    "rules simulate": "what was simulated does not add up",
    "run": "not exact: something recorded is not accounted for, or the ERP has something else",
    "schemas apply": "a schema is not compatible with the registry's, nothing was registered",
    "schemas generate": "with `--check`: records.py is not what the schemas say",
    "schemas list": "",
    "schemas plan": "a schema is missing, or not compatible with the registry's",
    "shadow": "ledger and ERP differ",
    "status": "something needs attention: it stands still, or waits for people",
    "topics apply": "existing topics differ from the catalog, nothing was changed",
    "topics epoch raise": "",
    "topics epoch show": "",
    "topics plan": "something is missing or differs",
    "trace": "unknown, does not add up, or its source records are gone",
    "up": "",
    "upstream exclude": "",
    "upstream include": "",
    "variance": "",
    "worker": "",
}
"""Command -> what its exit code 1 says; empty: it never ends with 1. A process of stages (`worker`, `up`) ends with the numbers
of docs/exceptions.md; a run that is told to stop with 128 + the signal."""
