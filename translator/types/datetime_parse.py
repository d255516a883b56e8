"""Date and time input: which field is which.

`parse_datetime` reads date, timestamp and timestamptz, `parse_time` reads time and timetz: DecodeDateTime and DecodeTimeOnly
of PostgreSQL's datetime.c, whose rules are described in the manual, "Date/Time Input Interpretation". Both walk over the
fields once; a word may label the next field ("J", "T") or modify the whole (AM, BC, DST).

The common forms never get here: the types read ISO text by table.
"""

from __future__ import annotations

import re

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.settings import Settings, runtime
from translator.types.calendar import DAY, UNIX_EPOCH_JULIAN
from translator.types.datetime_fields import (
    DATE,
    DAY_OF_MONTH,
    DYNAMIC,
    ERA,
    MERIDIEM,
    MONTH,
    SUMMER,
    SUMMER_MODIFIER,
    TIME,
    WEEKDAY,
    ZONE,
    Fields,
    bounded_int,
    decode_zone,
    fraction_of,
)
from translator.types.datetime_words import BadInput, Field, Kind, Word, date_word
from translator.types.timezone_names import find_abbreviation, local_abbreviation_type
from translator.types.timezones import Zone, find_zone, zone_of

_NUMBER = re.compile(r"([0-9]+)(.*)", re.DOTALL)


def current_local(settings: Settings) -> tuple[int, int, int]:
    """The transaction's time in the session's zone: Julian day, microseconds since midnight, offset in seconds east."""
    instant = runtime.transaction_timestamp
    offset = zone_of(settings).at(instant // 1_000_000).offset
    day, microseconds = divmod(instant + offset * 1_000_000, DAY)
    return day + UNIX_EPOCH_JULIAN, microseconds, offset


class _Reader:
    """What both parsers share: the state of one walk over the fields."""

    def __init__(self, fields: list[Field], settings: Settings) -> None:
        self.input = fields
        self.settings = settings
        self.fields = Fields(settings.date_order)
        self.seen = 0
        self.special = ""  # epoch, infinity, -infinity
        self.offset = 0  # seconds east
        self.meridiem = ""
        self.bc = False
        self.julian = False
        self.text_month = False
        self.label = ""  # of the next field
        self.zone: Zone | None = None
        self.dynamic: tuple[Zone, str] | None = None

    def read(self) -> None:
        for index, field in enumerate(self.input):
            found = self.read_field(index, field)
            if found & self.seen:
                raise BadInput(BadInput.FORMAT)
            self.seen |= found
        if self.label:
            raise BadInput(BadInput.FORMAT)

    def read_field(self, index: int, field: Field) -> int:
        match field.kind:
            case Kind.DATE:
                return self.read_date(index, field.text)
            case Kind.TIME:
                if self.label not in {"", "t"}:
                    raise BadInput(BadInput.FORMAT)
                self.label = ""
                return self.read_clock(field.text)
            case Kind.ZONE:
                self.offset = decode_zone(field.text)
                return ZONE
            case Kind.NUMBER:
                return self.read_labelled(field.text) if self.label else self.read_number(index, field.text)
        return self.read_word(field.text)

    def read_date(self, index: int, text: str) -> int:
        raise NotImplementedError

    def read_clock(self, text: str) -> int:
        return self.fields.decode_time(text)

    def read_number(self, index: int, text: str) -> int:
        raise NotImplementedError

    def read_labelled(self, text: str) -> int:
        """A number after "J" (Julian day, perhaps with a fraction) or "T" (time without colons)."""
        match = _NUMBER.fullmatch(text)
        label, self.label = self.label, ""
        if match is None:  # ".5": strtoint reads no digits
            digits, rest = "", text
        else:
            digits, rest = match.groups()
        value = bounded_int(digits)
        if rest and rest[0] != ".":
            raise BadInput(BadInput.FORMAT)
        if label == "julian":
            self.fields.set_julian(value)
            self.julian = True
            if not rest:
                return DATE
            self.fields.set_time(int(fraction_of(rest) * DAY))
            return DATE | TIME
        if label != "t":
            raise BadInput(BadInput.FORMAT)
        found = self.fields.decode_number_field(text, self.seen | DATE)
        if found != TIME:
            raise BadInput(BadInput.FORMAT)
        return found

    def read_time_and_zone(self, text: str, seen: int) -> int:
        """A time without colons that an offset follows: 040506-08."""
        if self.seen & TIME or "-" not in text:
            raise BadInput(BadInput.FORMAT)
        time, dash, zone = text.partition("-")
        self.offset = decode_zone(dash + zone)
        return self.fields.decode_number_field(time, seen) | ZONE

    def read_zone_name(self, text: str) -> int:
        self.zone = find_zone(text)
        if self.zone is None:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f'time zone "{text}" not recognized')
        return ZONE

    def read_word(self, text: str) -> int:
        abbreviation = find_abbreviation(text, self.settings)
        if abbreviation is not None:
            if abbreviation.zone is not None:
                self.dynamic = (abbreviation.zone, text)
                return DYNAMIC | ZONE
            self.offset = abbreviation.offset
            return (SUMMER | ZONE) if abbreviation.is_dst else ZONE
        kind, value = date_word(text) or (None, 0)
        match kind:
            case Word.IGNORED:
                return 0
            case Word.RESERVED:
                return self.read_reserved(str(value))
            case Word.SUMMER_TIME:
                self.offset += int(value)
                return SUMMER_MODIFIER | SUMMER
            case Word.MERIDIEM:
                self.meridiem = str(value)
                return MERIDIEM
            case Word.ERA:
                self.bc = value == "bc"
                return ERA
            case Word.UNIT | Word.ISO_TIME:
                if self.label:
                    raise BadInput(BadInput.FORMAT)
                self.check_label(kind)
                self.label = str(value)
                return 0
            case Word.MONTH | Word.WEEKDAY:
                return self.read_calendar_word(kind, int(value))
        self.zone = find_zone(text)
        if self.zone is None:
            raise BadInput(BadInput.FORMAT)
        return ZONE

    def check_label(self, kind: Word) -> None:
        """Refuse a label where it makes no sense."""

    def read_reserved(self, word: str) -> int:
        raise NotImplementedError

    def read_calendar_word(self, kind: Word, value: int) -> int:
        raise NotImplementedError

    def set_midnight(self) -> None:
        self.fields.hour = self.fields.minute = self.fields.second = 0

    def refuse_summer_modifier(self) -> None:
        """DST goes with a fixed abbreviation only."""
        if self.seen & SUMMER_MODIFIER:
            raise BadInput(BadInput.FORMAT)


class _DateTimeReader(_Reader):
    """DecodeDateTime."""

    def read_date(self, index: int, text: str) -> int:
        if self.label == "julian":  # a Julian day with an offset: J2451187-08
            match = _NUMBER.fullmatch(text)
            if match is None:
                raise BadInput(BadInput.FORMAT)
            self.fields.set_julian(bounded_int(match[1]))
            self.julian = True
            self.label = ""
            self.offset = decode_zone(match[2])
            return DATE | TIME | ZONE
        both = MONTH | DAY_OF_MONTH
        if self.label or self.seen & both == both:
            if self.label or text[0].isdigit():
                if self.label not in {"", "t"}:
                    raise BadInput(BadInput.FORMAT)
                self.label = ""
                return self.read_time_and_zone(text, self.seen)
            return self.read_zone_name(text)
        return self.fields.decode_date(text, self.seen)

    def read_clock(self, text: str) -> int:
        found = self.fields.decode_time(text)
        if self.fields.time_overflows():
            raise BadInput(BadInput.OVERFLOW)
        return found

    def read_number(self, index: int, text: str) -> int:
        whole, point, _ = text.partition(".")
        if point and not self.seen & DATE:
            return self.fields.decode_date(text, self.seen)
        # More than two digits before a point, or six and more, are a date or time run together while one is missing.
        missing = not self.seen & DATE or not self.seen & TIME
        if (point and len(whole) > 2) or (len(text) >= 6 and missing):
            return self.fields.decode_number_field(text, self.seen)
        return self.fields.decode_number(text, self.text_month, self.seen)

    def check_label(self, kind: Word) -> None:
        if kind is Word.ISO_TIME and self.seen & DATE != DATE:
            raise BadInput(BadInput.FORMAT)

    def read_reserved(self, word: str) -> int:
        fields = self.fields
        if word == "allballs":
            self.set_midnight()
            self.offset = 0
            return TIME | ZONE
        if word in {"epoch", "infinity", "-infinity"}:
            self.special = word
            return DATE | TIME | ZONE
        julian, microseconds, offset = current_local(self.settings)
        if word == "now":
            fields.set_julian(julian)
            fields.set_time(microseconds)
            self.offset = offset
            return DATE | TIME | ZONE
        fields.set_julian(julian + {"yesterday": -1, "today": 0, "tomorrow": 1}[word])
        return DATE

    def read_calendar_word(self, kind: Word, value: int) -> int:
        if kind is Word.WEEKDAY:
            return WEEKDAY
        fields = self.fields
        found = MONTH
        # A number was taken for the month before the month's name came: it is the day.
        if self.seen & MONTH and not self.text_month and not self.seen & DAY_OF_MONTH and 1 <= fields.month <= 31:
            fields.day = fields.month
            found = DAY_OF_MONTH
        self.text_month = True
        fields.month = value
        return found

    def finish(self) -> None:
        fields = self.fields
        fields.validate_date(self.seen, self.julian, self.bc)
        fields.apply_meridiem(self.meridiem)
        if self.seen & DATE != DATE:
            raise BadInput(BadInput.FORMAT)
        if self.zone is not None:
            self.refuse_summer_modifier()
            self.offset = self.zone.local_type(fields.local_seconds())[0].offset
        if self.dynamic is not None:
            self.refuse_summer_modifier()
            self.offset = local_abbreviation_type(*self.dynamic, fields.local_seconds()).offset
        if not self.seen & ZONE:
            self.refuse_summer_modifier()
            self.offset = zone_of(self.settings).local_offset(fields.local_seconds())


class _TimeReader(_Reader):
    """DecodeTimeOnly. A date is allowed where it helps to know the offset of a zone."""

    def __init__(self, fields: list[Field], settings: Settings) -> None:
        super().__init__(fields, settings)
        # PostgreSQL notes what it took fields for, which the test for a leading date looks at.
        self.kinds = [field.kind for field in fields]

    def read_date(self, index: int, text: str) -> int:
        if index == 0 and len(self.kinds) >= 2 and (self.kinds[-1] is Kind.DATE or self.kinds[1] is Kind.TIME):
            return self.fields.decode_date(text, self.seen)
        if text[0].isdigit():
            return self.read_time_and_zone(text, self.seen | DATE)
        return self.read_zone_name(text)

    def read_number(self, index: int, text: str) -> int:
        whole, point, _ = text.partition(".")
        if point:
            if index == 0 and len(self.kinds) >= 2 and self.kinds[-1] is Kind.DATE:
                return self.fields.decode_date(text, self.seen)
            if len(whole) <= 2:
                raise BadInput(BadInput.FORMAT)
        if point or len(text) > 4:
            return self.fields.decode_number_field(text, self.seen | DATE)
        return self.fields.decode_number(text, False, self.seen | DATE)

    def read_reserved(self, word: str) -> int:
        if word == "now":
            self.fields.set_time(current_local(self.settings)[1])
            return TIME
        if word == "allballs":
            self.set_midnight()
            return TIME | ZONE
        raise BadInput(BadInput.FORMAT)

    def read_calendar_word(self, kind: Word, value: int) -> int:
        raise BadInput(BadInput.FORMAT)

    def finish(self) -> None:
        fields = self.fields
        fields.validate_date(self.seen, self.julian, self.bc)
        fields.apply_meridiem(self.meridiem)
        if fields.time_overflows():
            raise BadInput(BadInput.OVERFLOW)
        if not self.seen & TIME:
            raise BadInput(BadInput.FORMAT)
        if self.zone is not None:
            self.refuse_summer_modifier()
            if self.zone.fixed is not None:
                self.offset = self.zone.fixed.offset
            elif self.seen & DATE != DATE:
                raise BadInput(BadInput.FORMAT)
            else:
                self.offset = self.zone.local_type(fields.local_seconds())[0].offset
        if self.dynamic is not None:
            self.refuse_summer_modifier()
            self.offset = local_abbreviation_type(*self.dynamic, self._local_seconds()).offset
        if not self.seen & ZONE:
            self.refuse_summer_modifier()
            self.offset = zone_of(self.settings).local_type(self._local_seconds())[0].offset

    def _local_seconds(self) -> int:
        """The moment at which an offset is wanted: today unless a date was given."""
        if not self.seen & DATE:
            self.fields.set_julian(current_local(self.settings)[0])
        elif self.seen & DATE != DATE:
            raise BadInput(BadInput.FORMAT)
        return self.fields.local_seconds()


def parse_datetime(fields: list[Field], settings: Settings) -> tuple[Fields | None, str, int]:
    """The broken-down time, or None and a special value's name; and the offset in seconds east."""
    reader = _DateTimeReader(fields, settings)
    reader.read()
    if reader.special:
        return None, reader.special, 0
    reader.finish()
    return reader.fields, "", reader.offset


def parse_time(fields: list[Field], settings: Settings) -> tuple[Fields, int]:
    """The broken-down time (its date means nothing) and the offset in seconds east."""
    reader = _TimeReader(fields, settings)
    reader.read()
    reader.finish()
    return reader.fields, reader.offset
