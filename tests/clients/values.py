"""Values of every type: what clients send as parameters and what they get as columns."""

import datetime
import decimal
import uuid

#: Type, the value as T-SQL has it, and as Python has it. Limits of each type among them.
VALUES = [
    ("bit", "1", True),
    ("bit", "0", False),
    ("tinyint", "255", 255),
    ("smallint", "-32768", -(2**15)),
    ("smallint", "32767", 2**15 - 1),
    ("int", "-2147483648", -(2**31)),
    ("int", "2147483647", 2**31 - 1),
    ("bigint", "-9223372036854775808", -(2**63)),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("decimal(5, 2)", "-999.99", decimal.Decimal("-999.99")),
    ("decimal(28, 10)", "123456789012345678.0123456789", decimal.Decimal("123456789012345678.0123456789")),
    ("numeric(38, 0)", "9" * 38, decimal.Decimal("9" * 38)),
    ("money", "-922337203685477.5808", decimal.Decimal("-922337203685477.5808")),
    ("money", "922337203685477.5807", decimal.Decimal("922337203685477.5807")),
    ("smallmoney", "-214748.3648", decimal.Decimal("-214748.3648")),
    ("float", "-1.7976931348623157E308", -1.7976931348623157e308),
    ("float", "2.2250738585072014E-308", 2.2250738585072014e-308),
    ("real", "-0.15625", -0.15625),
    ("date", "'00010101'", datetime.date(1, 1, 1)),
    ("date", "'99991231'", datetime.date(9999, 12, 31)),
    ("time(6)", "'23:59:59.999999'", datetime.time(23, 59, 59, 999999)),
    ("smalldatetime", "'20790606 23:59'", datetime.datetime(2079, 6, 6, 23, 59)),
    ("datetime", "'17530101'", datetime.datetime(1753, 1, 1)),
    ("datetime", "'99991231 23:59:59.997'", datetime.datetime(9999, 12, 31, 23, 59, 59, 997000)),
    ("datetime2(6)", "'0001-01-01 00:00:00.000001'", datetime.datetime(1, 1, 1, 0, 0, 0, 1)),
    ("datetime2(6)", "'9999-12-31 23:59:59.999999'", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("char(5)", "'ab'", "ab   "),
    ("varchar(8000)", "REPLICATE('ä', 8000)", "ä" * 8000),
    ("varchar(max)", "REPLICATE(CAST('ö' AS varchar(max)), 9000)", "ö" * 9000),
    ("nchar(3)", "N'日'", "日  "),
    ("nvarchar(4000)", "REPLICATE(N'❤', 4000)", "❤" * 4000),
    ("nvarchar(max)", "REPLICATE(CAST(N'😀' AS nvarchar(max)), 5000)", "😀" * 5000),
    ("nvarchar(1)", "N''", ""),
    ("binary(4)", "0x00FF", b"\x00\xff\x00\x00"),
    ("varbinary(8000)", "CAST(REPLICATE('z', 8000) AS varbinary(8000))", b"z" * 8000),
    (
        "varbinary(max)",
        "CAST(REPLICATE(CAST('z' AS varchar(max)), 9000) AS varbinary(max))",
        b"z" * 9000,
    ),
    (
        "uniqueidentifier",
        "'6F9619FF-8B86-D011-B42D-00C04FC964FF'",
        uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"),
    ),
    ("xml", "N'<a b=\"1\">ü</a>'", '<a b="1">ü</a>'),
    ("sysname", "N'name'", "name"),
]
#: Types that `=` does not compare, with what it compares of them.
COMPARED_AS = {"xml": "nvarchar(max)"}


def types():
    return sorted({kind.partition("(")[0] for kind, _, _ in VALUES})


def plain(value):
    """A value as Python has it where clients differ in the class they take for it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None)
    if type(value) is datetime.date:
        return datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, decimal.Decimal):
        return value + 0
    return value


def same(found, expected):
    if isinstance(expected, uuid.UUID) and isinstance(found, str):
        found = found.upper()
    return plain(found) == plain(expected)
