"""The harness's own reading of binary values, on bytes that PostgreSQL 18 sent."""

import pytest

from tests.harness.decode import decode

SENT = [
    (16, "01", "t"),
    (21, "8000", "-32768"),
    (20, "7fffffffffffffff", "9223372036854775807"),
    (26, "ffffffff", "4294967295"),
    (700, "3dcccccd", "0.1"),
    (700, "4b800000", "1.6777216e+07"),
    (701, "3fb999999999999a", "0.1"),
    (701, "430c6bf526340000", "1e+15"),
    (701, "8000000000000000", "-0"),
    (701, "fff0000000000000", "-Infinity"),
    (1700, "000300010000000203e7270f1388", "9999999.50"),
    (1700, "0001fffe400000070064", "-0.0000010"),
    (1700, "00000000c0000000", "NaN"),
    (17, "00ff", "\\x00ff"),
    (1082, "7fffffff", "infinity"),
    (1082, "fff49d7b", "0044-03-15 BC"),
    (1114, "0000000000000001", "2000-01-01 00:00:00.000001"),
    (1186, "00000000000f4240000000010000000d", "1 year 1 mon 1 day 00:00:01"),
    (1186, "fffffffffff0bdc00000000100000000", "1 day -00:00:01"),
    (3802, "017b7d", "{}"),
    (1007, "0000000100000001000000170000000200000001000000040000000affffffff", "{10,NULL}"),
    (1009, "000000010000000000000019000000020000000100000003612c6200000000", '{"a,b",""}'),
    (3904, "0200000004000000010000000400000005", "[1,5)"),
    (1560, "00000005b0", "10110"),
]


@pytest.mark.parametrize(("type_oid", "sent", "text"), SENT)
def test_a_value_is_read(type_oid: int, sent: str, text: str) -> None:
    assert decode(type_oid, bytes.fromhex(sent), "UTC") == text


def test_timestamptz_is_shown_in_the_session_zone() -> None:
    moment = bytes.fromhex("0002bf2d1af33000")  # 2024-07-01 12:00 UTC
    assert decode(1184, moment, "UTC") == "2024-07-01 12:00:00+00"
    assert decode(1184, moment, "America/New_York") == "2024-07-01 08:00:00-04"
    assert decode(1184, moment, "Asia/Kolkata") == "2024-07-01 17:30:00+05:30"
