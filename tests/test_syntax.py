"""Muster's parser accepts what Microsoft's accepts, and finds errors on the same line."""

import pytest
import syntax_oracle
from clients.sqltools import Service
from conftest import PASSWORD, batches, examples

#: Variants of each example's batches, by a fixed seed.
VARIANTS = 120

#: Texts of all sorts with the errors that people make; the unclosed ones cost a text of their own each.
HAND_WRITTEN = [
    "SELECT 'abc",
    "SELECT N'it''s",
    "SELECT [name FROM msdb.dbo.sysjobs",
    "SELECT * FORM msdb.dbo.sysjobs",
    "SELEC * FROM msdb.dbo.sysjobs",
    "IF 1 = 1\nBEGIN\n  SELECT 1",
    "BEGIN TRY\nSELECT 1\nEND TRY\nSELECT 2",
    "DECLARE @a int,\nSELECT @a",
    "EXEC msdb.dbo.sp_add_job @job_name =, @enabled = 1",
    "EXEC msdb.dbo.sp_add_job @job_name = N'x' @enabled = 1",
    "WHILE 1 = 1\nBREAK\nEND",
    "SELECT CASE WHEN 1 = 1 THEN 2",
    "SELECT (1 + 2",
    "SELECT 1 + FROM sys.objects",
    "INSERT INTO #t VALUES (1, 2",
    "CREATE TABLE #t (a int b int)",
    "UPDATE #t SET a = WHERE b = 1",
    "DELETE FROM WHERE a = 1",
    "GOTO",
    "SELECT TOP FROM sys.objects",
    "SELECT a FROM b ORDER a",
    "SELECT a FROM b GROUP BY",
    "SELECT a FROM b JOIN c",
    "WITH x AS (SELECT 1 AS a)",
    "SELECT 1;;SELECT 2",
    "RAISERROR ('x', 16)",
    "PRINT",
    "THROW 50000, 'x'",
    "MERGE #t USING #u ON 1 = 1 WHEN MATCHED THEN DELETE",
]


@pytest.fixture(scope="module")
def microsoft(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("sqltools")) as service:
        yield syntax_oracle.Microsoft(service)


@pytest.fixture(scope="module")
def muster(master):
    return syntax_oracle.Muster(master.host, master.port, PASSWORD)


def check(found):
    assert not found, f"{len(found)} differ:\n" + "\n".join(
        f"--- theirs {theirs}, ours {ours}\n{batch}" for batch, theirs, ours in found[:25]
    )


def test_the_examples_and_variants_of_them(microsoft, muster):
    originals = [batch for path in examples() for batch in batches(path.read_text())]
    assert microsoft(originals) == [None] * len(originals)
    variants = [
        variant
        for number, batch in enumerate(originals)
        for variant in syntax_oracle.mutations(batch, VARIANTS, number)
    ]
    check(syntax_oracle.compare(originals + variants, microsoft, muster))


def test_errors_that_people_make(microsoft, muster):
    check(syntax_oracle.compare(HAND_WRITTEN, microsoft, muster))
