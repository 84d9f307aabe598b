"""Muster's parser beside Microsoft's, which the SQL Tools Service carries.

Both read the same batches; each says where the first error is, or that there is none. By hand over any scripts:
`python tests/syntax_oracle.py SERVER,PORT FILE...` (the password of sa in MUSTER_SA_PASSWORD) prints each difference
and the counts.
"""

import random
import re

from pymssql import _mssql

#: Batches in one text for the service: it answers each text after most of a second, however long that is.
BATCHES_A_TEXT = 400

TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | N?'(?:[^']|'')*' | \[[^\]]*\] | "[^"]*" | @{0,2}[\w#$]+ | <> | <= | >= | != | \s+ | .""",
    re.VERBOSE | re.DOTALL,
)
#: What stands where another keyword should.
WRONG_KEYWORDS = ["SELECT", "FROM", "BEGIN", "END", "EXEC", "DECLARE", "IF", "AS", "INTO"]
#: Tokens that only stand alone when their other half is missing.
HALVES = {"'", '"', "["}


def strip(batch):
    """Without what would make lines ambiguous."""
    return batch.rstrip()


def mutations(batch, count, seed):
    """Variants of a batch, each with one thing wrong or at least other; the same for the same seed."""
    generator = random.Random(seed)
    tokens = TOKEN.findall(batch)
    solid = [at for at, token in enumerate(tokens) if token.strip() and not token.startswith(("--", "/*"))]
    for _ in range(count):
        at = generator.choice(solid)
        changed = list(tokens)
        match generator.randrange(5):
            case 0:
                changed[at] = ""
            case 1:
                changed[at] = f"{tokens[at]} {tokens[at]}"
            case 2:
                changed[at] = generator.choice(WRONG_KEYWORDS)
            case 3:
                other = generator.choice(solid)
                changed[at], changed[other] = changed[other], changed[at]
            case 4:
                changed[at] = f"{tokens[at]} {generator.choice(['(', ')', ',', '=', '+', ';'])}"
        yield "".join(changed)


def last_line(batch):
    return strip(batch).count("\n") + 1


#: What Microsoft's parser here does not look for, and the server's does, once the syntax is right: labels and variables.
SEMANTIC = {133, 137}
#: It puts this at the condition's last word; the server at the word behind, which its text names.
NOT_BOOLEAN = "An expression of non-boolean type"
#: What it also says about a text that is wrong for another reason.
SECONDARY = ("Must pass parameter number", NOT_BOOLEAN)
#: It takes a dot behind a constant for a method's, and misses the method's name behind it.
METHOD = "Incorrect syntax near '.'."
EXPECTS_METHOD = "Expecting ID"
#: It takes any word for a label, variables and keywords too; the server a name alone.
LABEL = re.compile(r"\s*@*\w+\s*:")


def is_unclosed(batch):
    """Whether a quote or comment runs on beyond the batch."""
    return any(token in HALVES for token in TOKEN.findall(batch)) or "/*" in TOKEN.sub(
        lambda token: token[0] if token[0] == "/" or token[0] == "*" else "", batch
    )


class Muster:
    """Where Muster's parser finds the first error of a batch."""

    def __init__(self, host, port, password):
        self.connection = _mssql.connect(server=host, port=str(port), user="sa", password=password, database="msdb")
        self.connection.execute_non_query("SET PARSEONLY ON")

    def __call__(self, batch):
        try:
            self.connection.execute_non_query(strip(batch))
        except _mssql.MSSQLDatabaseException as error:
            return error.line, error.number, error.text.decode().partition("DB-Lib")[0]
        return None


class Microsoft:
    """Where Microsoft's parser finds the first error of each batch."""

    def __init__(self, service):
        self.service = service

    def __call__(self, batches):
        """For each batch None, or its first error: line, message, and whether a condition is none anywhere."""
        found = {}
        whole = [number for number, batch in enumerate(batches) if not is_unclosed(batch)]
        texts = [whole[at : at + BATCHES_A_TEXT] for at in range(0, len(whole), BATCHES_A_TEXT)]
        # What runs on would swallow others.
        texts += [[number] for number, batch in enumerate(batches) if is_unclosed(batch)]
        for numbers in texts:
            self.read(numbers, batches, found)
        return [found[number] for number in range(len(batches))]

    def read(self, numbers, batches, found):
        text, first_lines = "", []
        for number in numbers:
            first_lines.append(text.count("\n") + 1)
            text += strip(batches[number]) + "\nGO\n"
        errors = self.service.diagnostics(text)
        ends = first_lines[1:] + [text.count("\n") + 2]
        for number, first, end in zip(numbers, first_lines, ends):
            own = [(line - first + 1, message) for line, message in errors if first <= line < end]
            primary = [error for error in own if not error[1].startswith(SECONDARY)]
            line, message = min(primary or own, key=lambda error: error[0], default=(None, None))
            not_boolean = any(message.startswith(NOT_BOOLEAN) for _, message in own)
            # At the end of a batch it is the GO that is in the way.
            found[number] = line and (min(line, last_line(batches[number])), message, not_boolean)


def agree(batch, theirs, ours):
    if ours is None:
        return theirs is None
    line, number, text = ours
    if text == METHOD and EXPECTS_METHOD in (theirs or [None, ""])[1]:
        return True
    if theirs is None:
        return number in SEMANTIC or LABEL.match(strip(batch).split("\n")[line - 1])
    return line == theirs[0] or theirs[2] and number == 4145


def compare(batches, microsoft, muster):
    """The batches that the two read otherwise: (batch, what Microsoft's says, what Muster's says)."""
    return [
        (batch, theirs, ours)
        for batch, theirs, ours in zip(batches, microsoft(batches), map(muster, batches))
        if not agree(batch, theirs, ours)
    ]


def main(arguments):
    import collections
    import os
    import pathlib
    import tempfile

    from clients.sqltools import Service

    from conftest import batches as split

    server, *files = arguments
    host, port = server.split(",")
    muster = Muster(host, int(port), os.environ["MUSTER_SA_PASSWORD"])
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch, Service(pathlib.Path(scratch)) as service:
        microsoft = Microsoft(service)
        for name in files:
            text = pathlib.Path(name).read_text(errors="replace")
            found = list(split(text))
            differences = compare(found, microsoft, muster)
            counts["batches"] += len(found)
            counts["files"] += 1
            counts["files that differ"] += bool(differences)
            for batch, theirs, ours in differences:
                kind = "accepted here alone" if ours is None else "refused here alone" if theirs is None else "line"
                counts[kind] += 1
                line = (ours or theirs)[0]
                near = strip(batch).split("\n")[min(line, last_line(batch)) - 1].strip()[:120]
                print(f"{pathlib.Path(name).name[:60]}: {kind}: theirs {theirs}, ours {ours}\n    {near}")
    print(dict(counts))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
